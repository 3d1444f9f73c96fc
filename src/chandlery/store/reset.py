"""Empty the warehouse of replayed data, so that another tape can take its place."""

from sqlalchemy import func, select, text

from chandlery.errors import Conflict
from chandlery.log import get_logger
from chandlery.store.tables import api_keys, instrument_tickers
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_SCHEMAS = ("raw", "ops", "research", "marts", "serving")
_KEPT = ("alembic_version", api_keys.name)


def empty_replayed(warehouse: Warehouse) -> int:
    """Truncate every table of bars, candles, findings, studies and reports in one transaction; return their number.

    API keys, the schema version and Dagster's history stay. Everything removed came from a tape and can be
    replayed from it.

    Raises:
        Conflict: instruments were registered from the vendor; nothing is removed then.
    """
    tables = text(
        "select format('%I.%I', schemaname, tablename) from pg_tables "
        "where schemaname = any(:schemas) and tablename <> all(:kept)"
    )
    with warehouse.write("owner") as connection:
        foreign = connection.execute(
            select(func.count()).select_from(instrument_tickers).where(instrument_tickers.c.source != "replay")
        ).scalar_one()
        if foreign:
            raise Conflict(
                f"The warehouse was to be emptied for another tape, but {foreign} of its symbols came from the "
                "vendor. Keep it, and run the demo with another CHANDLERY_HOME."
            )
        names: list[str] = list(connection.execute(tables, {"schemas": list(_SCHEMAS), "kept": list(_KEPT)}).scalars())
        connection.exec_driver_sql(f"truncate {', '.join(names)} cascade")
    log.info("replayed_data_removed", tables=len(names))
    return len(names)
