"""With `rebuild`, a run repairs its window and writes nothing else. Every test leaves the marts as it found them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

CANDLES = [f"candles_{timeframe}" for timeframe in ("5m", "15m", "30m", "1h", "4h", "1d", "1w")]
DAY = ("2016-04-20", "2016-04-21")
SELECT = ("--select", "marts", "serving", "--exclude", "resource_type:unit_test", "resource_type:test")
BUILT = [f"marts.{name}" for name in CANDLES] + [
    "marts.quality_scores_daily",
    "serving.candles_v1",
    "serving.quality_v1",
]


def snapshot(mart: Any, relation: str, where: str = "true") -> list[tuple]:
    """Every row as text, in order; equal lists mean byte-identical rows."""
    return mart.rows(f"select t::text from {relation} as t where {where} order by 1")


def places(mart: Any, relation: str, where: str) -> list[tuple]:
    """Where each row version physically lies: unchanged means the row was never rewritten."""
    return mart.rows(f"select ctid::text, xmin::text from {relation} where {where} order by 1")


@pytest.fixture
def unchanged(mart: Any) -> Iterator[Callable[[], None]]:
    before = {relation: snapshot(mart, relation) for relation in BUILT}

    def check() -> None:
        for relation, rows in before.items():
            assert snapshot(mart, relation) == rows, relation

    yield check
    check()


def test_rebuilding_unchanged_bars_writes_no_row(mart: Any, unchanged: Callable[[], None]) -> None:
    before = {relation: places(mart, relation, "true") for relation in BUILT}
    mart.build(*SELECT, window=DAY, rebuild=True)
    unchanged()
    for relation in BUILT:
        assert places(mart, relation, "true") == before[relation], relation


def test_tampered_missing_and_spurious_rows_are_repaired(mart: Any, unchanged: Callable[[], None]) -> None:
    for table in [f"marts.{name}" for name in CANDLES] + ["serving.candles_v1"]:
        touched = "session = '2016-04-18'" if table.endswith("1w") else "session = '2016-04-20'"
        if table.startswith("serving"):
            touched = f"(timeframe <> '1w' and {touched} or timeframe = '1w' and session = '2016-04-18')"
        columns = [row[0] for row in mart.rows(COLUMNS_OF, *table.split("."))]
        moved = ", ".join("ts + interval '7 seconds'" if name == "ts" else name for name in columns)
        served = " and timeframe = '5m'" if table.startswith("serving") else ""
        mart.do(
            f"insert into {table} ({', '.join(columns)}) select {moved} from {table} where {touched}{served}",
            f"update {table} set close = close + 1, volume = 0 where {touched} and instrument_id = 1",
            f"delete from {table} where {touched} and instrument_id = 2",
        )
    with pytest.raises(AssertionError):
        unchanged()
    mart.build(*SELECT, window=DAY, rebuild=True)


COLUMNS_OF = "select column_name::text from information_schema.columns where table_schema = %s and table_name = %s"


@pytest.mark.usefixtures("unchanged")
def test_tampering_outside_the_window_stays_for_its_own_rebuild(mart: Any) -> None:
    mart.do("update marts.candles_1h set close = 1 where session = '2016-04-22' and instrument_id = 1")
    mart.build(*SELECT, window=DAY, rebuild=True)
    closes = "select distinct close from marts.candles_1h where session = '2016-04-22' and instrument_id = 1"
    assert mart.rows(closes) == [(1.0,)]
    mart.build(*SELECT, window=("2016-04-22", "2016-04-23"), rebuild=True)


@pytest.mark.usefixtures("unchanged")
def test_late_minute_changes_its_candles_up_to_the_week(mart: Any) -> None:
    last = "ts = '2016-04-20 19:59+00' and instrument_id = 1"
    (bar,) = mart.rows(f"select ts, high, close, volume from raw.massive__bars_1m where {last}")
    mart.do(f"update raw.massive__bars_1m set high = 999, volume = volume + 1 where {last}")
    mart.build(*SELECT, window=DAY, rebuild=True)
    for name in CANDLES:
        label = "'2016-04-18'" if name.endswith("1w") else "'2016-04-20'"
        (highest,) = mart.rows(f"select max(high) from marts.{name} where session = {label} and instrument_id = 1")
        assert highest == (999.0,), name
    served = "select count(*) from serving.candles_v1 where high = 999 and symbol = 'AAPL'"
    assert mart.rows(served) == [(7,)]
    mart.do(f"update raw.massive__bars_1m set high = {bar[1]!r}, volume = {bar[3]!r} where {last}")
    mart.build(*SELECT, window=DAY, rebuild=True)


@pytest.mark.usefixtures("unchanged")
def test_withdrawn_session_leaves_no_candle_and_a_score_of_its_absence(mart: Any) -> None:
    span = "instrument_id = 2 and ts >= '2016-04-20 13:30+00' and ts < '2016-04-20 20:00+00'"
    mart.do(f"create table raw.kept as select * from raw.massive__bars_1m where {span}")
    mart.do(f"delete from raw.massive__bars_1m where {span}")
    mart.build(*SELECT, window=DAY, rebuild=True)
    assert mart.rows("select count(*) from marts.candles_5m where instrument_id = 2 and session = '2016-04-20'") == [
        (0,)
    ]
    score = (
        "select score, bar_count, expected_count from serving.quality_v1 "
        "where symbol = 'MSFT' and session = '2016-04-20'"
    )
    assert mart.rows(score) == [(pytest.approx(0.01), 0, 390)]
    mart.do("insert into raw.massive__bars_1m select * from raw.kept", "drop table raw.kept")
    mart.build(*SELECT, window=DAY, rebuild=True)


@pytest.mark.usefixtures("unchanged")
def test_changed_ticker_is_carried_through_all_history(mart: Any) -> None:
    before = mart.rows("select count(*) from serving.candles_v1 where symbol = 'AAPL'")
    mart.do(
        "update ops.instrument_tickers set valid_to = '2016-04-20' where ticker = 'AAPL'",
        "insert into ops.instrument_tickers values ('APPL', '2016-04-20', null, 1, 'tape')",
    )
    mart.build(*SELECT, window=DAY, rebuild=True)
    assert mart.rows("select count(*) from serving.candles_v1 where symbol = 'APPL'") == before
    assert mart.rows("select count(*) from serving.candles_v1 where symbol = 'AAPL'") == [(0,)]
    assert mart.rows("select symbol from serving.symbols_v1 where instrument_id = 1") == [("APPL",)]
    mart.do(
        "delete from ops.instrument_tickers where ticker = 'APPL'",
        "update ops.instrument_tickers set valid_to = null where ticker = 'AAPL'",
    )
    mart.build(*SELECT, window=DAY, rebuild=True)


def test_rebuilding_a_view_keeps_the_views_on_it(mart: Any) -> None:
    before = mart.rows("select 'marts.prices_daily'::regclass::oid")
    mart.build("--select", "staging", "intermediate")
    assert mart.rows("select 'marts.prices_daily'::regclass::oid") == before


def test_reversed_window_is_refused(mart: Any) -> None:
    with pytest.raises(AssertionError, match="end_session is exclusive"):
        mart.build("--select", "candles_1d", window=("2016-04-21", "2016-04-21"))
