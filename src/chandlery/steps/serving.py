"""Log what readers see from now on."""

from importlib.metadata import version

from chandlery.log import get_logger
from chandlery.store.publication import SERVED, publish_version
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)


def publish(warehouse: Warehouse, *, run_id: str | None, source: str) -> tuple[dict[str, object], ...]:
    """Log a new version of every served dataset; return dataset, version and rows of each.

    Raises:
        DatabaseDown: PostgreSQL does not answer.
    """
    rows: list[dict[str, object]] = []
    for dataset in SERVED:
        number, count = publish_version(
            warehouse, dataset, run_id=run_id, code_version=version("chandlery"), source=source
        )
        rows.append({"dataset": dataset, "version": number, "rows": count})
    log.info("datasets_published", datasets=len(rows))
    return tuple(rows)
