"""Bulk reads and writes as frames: ADBC moves Arrow columns, no row objects are made."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import polars as pl

from chandlery.errors import DatabaseDown, NotMigrated
from chandlery.settings import Role
from chandlery.store.warehouse import Warehouse

Parameter = str | int | float | date | datetime
_UNDEFINED = ("42P01", "3F000")


def read_frame(
    warehouse: Warehouse, query: str, parameters: Sequence[Parameter] = (), *, role: Role = "pipeline"
) -> pl.DataFrame:
    """Run one query with `$1`-style parameters and return all its rows.

    Raises:
        DatabaseDown: no connection, or it was lost.
        NotMigrated: a relation of the query does not exist yet.
    """
    with _cursor(warehouse, role) as (connection, cursor):
        cursor.execute(query, list(parameters) or None)
        frame = pl.DataFrame(cursor.fetch_arrow_table())
        connection.rollback()
    return frame


def append_frame(warehouse: Warehouse, frame: pl.DataFrame, *, schema: str, table: str) -> int:
    """Append all rows of `frame` to a table in one transaction and return their number.

    Raises:
        DatabaseDown: no connection, or it was lost; nothing was written.
    """
    with _cursor(warehouse, "pipeline") as (connection, cursor):
        cursor.adbc_ingest(table, frame.to_arrow(), mode="append", db_schema_name=schema)
        connection.commit()
    return frame.height


@contextmanager
def _cursor(warehouse: Warehouse, role: Role) -> Iterator[tuple[Any, Any]]:
    # Imported here: the driver loads pyarrow.dataset and with it pandas, 1.2 s that only bulk work pays.
    from adbc_driver_manager import OperationalError, ProgrammingError  # noqa: PLC0415
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415

    place = f"{warehouse.database.host}:{warehouse.database.port}/{warehouse.database.name}"
    try:
        with dbapi.connect(warehouse.url(role)) as connection, connection.cursor() as cursor:
            yield connection, cursor
    except ProgrammingError as error:
        if error.sqlstate in _UNDEFINED:
            raise NotMigrated(
                f"A table is missing in {place}: {error}. Run `chandlery migrate`; tables of candles, quality and "
                "reports appear with the first run of the pipeline (`chandlery demo`)."
            ) from error
        raise
    except OperationalError as error:
        raise DatabaseDown(f"PostgreSQL was asked at {place} and did not answer: {error}.") from error
