"""Statistics of the planner, refreshed after a large load."""

from chandlery.market.timeframes import Timeframe
from chandlery.store.history import BAR_TABLES
from chandlery.store.warehouse import Warehouse


def refresh_statistics(warehouse: Warehouse, timeframe: Timeframe) -> None:
    """Let the planner know how many bars there are now.

    Autovacuum would, within a minute; models that are built before it comes by were seen to take 50 to 145 s instead
    of 8 (4.5 M minutes, 2026-11). On a server before PostgreSQL 17 this does nothing but warn.
    """
    with warehouse.write() as connection:
        connection.exec_driver_sql(f"analyze {BAR_TABLES[timeframe][0].fullname}")
