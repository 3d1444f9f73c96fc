"""COPY in binary form: what goes in comes out, nulls, fractions and extremes included."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chandlery.store.copying import copy_rows
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
FRAME_SCHEMA = {"ts": pl.Datetime("us", "UTC"), "price": pl.Float64, "vwap": pl.Float64, "n": pl.Int64}

instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
rows = st.lists(
    st.tuples(
        instants,
        st.floats(allow_nan=False),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_rows_come_back_as_they_went_in(warehouse: Warehouse, given_rows: list[tuple[Any, ...]]) -> None:
    frame = pl.DataFrame(given_rows, schema=FRAME_SCHEMA, orient="row")
    with warehouse.write() as connection:
        connection.exec_driver_sql(
            "create temporary table copied (ts timestamptz, price float8, vwap float8, n int8, id int4, reason text) "
            "on commit drop"
        )
        assert copy_rows(
            connection, "copied", frame, optional=("vwap", "n"), constants={"id": 7, "reason": "late_tradé"}
        ) == len(given_rows)
        found = [tuple(row) for row in connection.exec_driver_sql("select * from copied").all()]
    key = repr
    assert sorted(found, key=key) == sorted([(*row, 7, "late_tradé") for row in given_rows], key=key)


def test_more_rows_than_one_chunk_arrive_in_full(warehouse: Warehouse) -> None:
    count = 50_000
    frame = pl.DataFrame({"price": pl.int_range(count, eager=True).cast(pl.Float64)})
    with warehouse.write() as connection:
        connection.exec_driver_sql("create temporary table many (price float8) on commit drop")
        copy_rows(connection, "many", frame)
        assert connection.exec_driver_sql("select count(*), sum(price) from many").one() == (
            count,
            count * (count - 1) / 2,
        )
