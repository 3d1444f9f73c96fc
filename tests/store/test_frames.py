"""Frames in and out by ADBC: types, nulls, parameters, errors."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from adbc_driver_manager import Error as AdbcError
from polars.testing import assert_frame_equal

from chandlery.errors import DatabaseDown, NotMigrated
from chandlery.store.frames import append_frame, read_frame
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

EVERYTHING = pl.DataFrame(
    {
        "i": [1, None, -(2**31)],
        "n": [2**62, None, 0],
        "x": [0.1, float("nan"), float("-inf")],
        "b": [True, None, False],
        "t": ["", None, "ü\n'\"\\"],
        "d": [date(1962, 1, 2), None, date(2100, 12, 31)],
        "ts": [datetime(2024, 1, 2, 14, 30, 0, 123456, UTC), None, datetime(1969, 12, 31, tzinfo=UTC)],
    },
    schema={
        "i": pl.Int32,
        "n": pl.Int64,
        "x": pl.Float64,
        "b": pl.Boolean,
        "t": pl.String,
        "d": pl.Date,
        "ts": pl.Datetime("us", "UTC"),
    },
)


@pytest.fixture
def table(warehouse: Warehouse, tell: Tell) -> str:
    columns = "i int4, n int8, x float8, b bool, t text, d date, ts timestamptz"
    tell(warehouse, "drop table if exists marts.every", f"create table marts.every ({columns})", role="pipeline")
    return "every"


def test_every_type_comes_back_as_it_went(warehouse: Warehouse, table: str) -> None:
    assert append_frame(warehouse, EVERYTHING, schema="marts", table=table) == 3
    assert_frame_equal(read_frame(warehouse, f"select * from marts.{table}"), EVERYTHING)


def test_appending_twice_doubles(warehouse: Warehouse, table: str) -> None:
    append_frame(warehouse, EVERYTHING, schema="marts", table=table)
    append_frame(warehouse, EVERYTHING.clear(), schema="marts", table=table)
    append_frame(warehouse, EVERYTHING, schema="marts", table=table)
    assert read_frame(warehouse, f"select count(*) as n from marts.{table}").item() == 6


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("i", 1),
        ("x", 0.1),
        ("t", "ü\n'\"\\"),
        ("d", date(2100, 12, 31)),
        ("ts", datetime(2024, 1, 2, 14, 30, 0, 123456, UTC)),
    ],
)
def test_parameters_of_every_type_find_their_row(warehouse: Warehouse, table: str, column: str, value: Any) -> None:
    append_frame(warehouse, EVERYTHING, schema="marts", table=table)
    assert read_frame(warehouse, f"select {column} from marts.{table} where {column} = $1", (value,)).item() == value


def test_answer_without_rows_keeps_its_columns(warehouse: Warehouse, table: str) -> None:
    frame = read_frame(warehouse, f"select ts, x, t from marts.{table} where i = $1", (5,))
    assert frame.is_empty()
    assert frame.schema == pl.Schema({"ts": pl.Datetime("us", "UTC"), "x": pl.Float64, "t": pl.String})


@pytest.mark.parametrize("relation", ["serving.candles_v1", "nowhere.candles_v1"])
def test_relation_that_does_not_exist_yet_is_not_migrated(warehouse: Warehouse, relation: str) -> None:
    with pytest.raises(NotMigrated, match=r"chandlery migrate.*chandlery demo"):
        read_frame(warehouse, f"select * from {relation}")


def test_append_that_fails_writes_nothing(warehouse: Warehouse, table: str, tell: Tell, ask: Ask) -> None:
    tell(warehouse, f"alter table marts.{table} add check (i > 0)", role="pipeline")
    with pytest.raises(AdbcError):
        append_frame(warehouse, EVERYTHING, schema="marts", table=table)
    assert ask(warehouse, f"select count(*) from marts.{table}") == [(0,)]


def test_reader_reads_as_the_role_it_is(warehouse: Warehouse) -> None:
    assert read_frame(warehouse, "select current_user::text as who", role="reader").item() == "chandlery_reader"


def test_append_without_a_database_is_a_database_down(postgres: Any) -> None:
    with pytest.raises(DatabaseDown, match=r"127\.0\.0\.1:1/gone"):
        append_frame(postgres.warehouse("gone", port=1), EVERYTHING, schema="marts", table="every")
