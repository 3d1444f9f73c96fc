"""The publication log: which version of each dataset readers see."""

from sqlalchemy import func, select, text

from chandlery.store.tables import publication
from chandlery.store.warehouse import Warehouse

SERVED = {
    "candles": "serving.candles_v1",
    "quality": "serving.quality_v1",
    "symbols": "serving.symbols_v1",
    "studies": "serving.studies_v1",
    "risk_reports": "serving.reports_v1",
}
"""Dataset -> the relation whose rows it counts."""


def publish_version(
    warehouse: Warehouse, dataset: str, *, run_id: str | None, code_version: str, source: str
) -> tuple[int, int]:
    """Log a new current version of a dataset of `SERVED`; return (version, rows)."""
    with warehouse.write() as connection:
        rows: int = connection.execute(text(f"select count(*) from {SERVED[dataset]}")).scalar_one()  # noqa: S608 - fixed names
        connection.execute(select(func.pg_advisory_xact_lock(7_304_526_120)))
        mine = publication.c.dataset == dataset
        latest: int = connection.execute(
            select(func.coalesce(func.max(publication.c.version), 0)).where(mine)
        ).scalar_one()
        connection.execute(publication.update().where(mine, publication.c.is_current).values(is_current=False))
        facts = {"run_id": run_id, "code_version": code_version, "source": source, "rows": rows}
        row = {"dataset": dataset, "version": latest + 1, "is_current": True, **facts}
        connection.execute(publication.insert().values(**row))
    return latest + 1, rows


def current_versions(warehouse: Warehouse) -> dict[str, int]:
    """Return the current version of every dataset that was published."""
    query = select(publication.c.dataset, publication.c.version).where(publication.c.is_current)
    with warehouse.read() as connection:
        return {row.dataset: row.version for row in connection.execute(query)}
