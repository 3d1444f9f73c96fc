"""The series a user asks for, and every way of asking for something that is not there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chandlery.errors import InvalidInput, NotFound, NotMigrated
from chandlery.steps.candles import CandleQuestion, dbt_environment, find_candles
from chandlery.steps.serving import publish
from chandlery.store.publication import SERVED, current_versions
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

_CANDLES = """
create table serving.candles_v1 (symbol text, timeframe text, basis text, ts timestamptz, session date, open float8,
    high float8, low float8, close float8, volume float8, vwap float8, trade_count int8, bar_count int4,
    expected_count int4, is_final bool, quality_score float8, source text, primary key (symbol, timeframe, basis, ts));
insert into serving.candles_v1
select 'AAPL', '1h', 'minutes', '2024-01-02 14:00+0'::timestamptz + i * interval '1 hour', '2024-01-02', 100 + i,
    101 + i, 99 + i, 100.5 + i, 1000, null, null, 60, 60, true, 0.9, 'simulated'
from generate_series(5, 0, -1) as i;
insert into serving.candles_v1
select 'AAPL', '1d', 'day', '2024-01-02 05:00+0'::timestamptz + i * interval '1 day', '2024-01-02'::date + i, 1, 2, 0.5,
    1.5, 9, 1.2, 3, 1, 1, true, null, 'wiki'
from generate_series(0, 3) as i;
"""
_UNIVERSE = """
insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value
    values (1, 'stocks', 'NYSE'), (2, 'stocks', 'NYSE');
insert into ops.instrument_tickers values ('AAPL', '1900-01-01', null, 1, 'tape'),
    ('BA', '1900-01-01', null, 2, 'tape');
"""


def at(hour: int) -> datetime:
    return datetime(2024, 1, 2, hour, tzinfo=UTC)


@pytest.fixture(scope="module")
def served(warehouse: Warehouse, tell: Tell) -> Warehouse:
    tell(warehouse, _UNIVERSE)
    tell(warehouse, _CANDLES, role="pipeline")
    return warehouse


def test_series_ascends_whatever_the_order_on_disk(served: Warehouse) -> None:
    frame = find_candles(served, CandleQuestion(" aapl ", "1h"))
    assert frame["ts"].to_list() == [at(hour) for hour in range(14, 20)]
    assert frame["close"].to_list() == [100.5, 101.5, 102.5, 103.5, 104.5, 105.5]
    assert frame.columns[:4] == ["symbol", "timeframe", "basis", "ts"]


def test_range_is_half_open(served: Warehouse) -> None:
    frame = find_candles(served, CandleQuestion("AAPL", "1h", start=at(15), end=at(17)))
    assert frame["ts"].to_list() == [at(15), at(16)]


def test_day_bars_of_the_source_are_a_basis_of_their_own(served: Warehouse) -> None:
    frame = find_candles(served, CandleQuestion("AAPL", "1d", basis="day"))
    assert (frame.height, set(frame["source"])) == (4, {"wiki"})


def test_day_basis_exists_for_days_only(served: Warehouse) -> None:
    with pytest.raises(InvalidInput, match="basis"):
        find_candles(served, CandleQuestion("AAPL", "1h", basis="day"))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (CandleQuestion("AAPL", "2h"), "5m 15m 30m 1h 4h 1d 1w"),
        (CandleQuestion("AAPL", "1m"), "5m 15m 30m 1h 4h 1d 1w"),
        (CandleQuestion("A APL", "1h"), "Symbol was"),
        (CandleQuestion("AAPL", "1h", start=at(17), end=at(15)), "exclusive"),
        (CandleQuestion("AAPL", "1h", start=at(17), end=at(17)), "exclusive"),
    ],
)
def test_impossible_question_is_invalid_input(served: Warehouse, question: CandleQuestion, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        find_candles(served, question)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (CandleQuestion("TSLA", "1h"), r"TSLA is not tracked.*AAPL, BA"),
        (CandleQuestion("AAPL", "1h", start=at(20)), r"no candle from 2024-01-02 20:00:00.*6 lie outside"),
        (CandleQuestion("AAPL", "1d"), r"AAPL 1d \(basis minutes\) has no candles; 4 exist with basis day"),
        (CandleQuestion("BA", "1h"), r"BA 1h \(basis minutes\) has no candles; ingest its bars first"),
    ],
)
def test_nothing_to_show_says_what_there_is_instead(served: Warehouse, question: CandleQuestion, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        find_candles(served, question)


def test_candles_before_the_first_run_are_not_migrated(fresh: Warehouse, tell: Tell) -> None:
    tell(fresh, _UNIVERSE)
    with pytest.raises(NotMigrated, match="chandlery demo"):
        find_candles(fresh, CandleQuestion("AAPL", "1h"))


def test_candles_of_a_never_migrated_database_are_not_migrated(postgres: Any) -> None:
    empty = postgres.create("empty", template="template1")
    try:
        with pytest.raises(NotMigrated, match="chandlery migrate"):
            find_candles(empty, CandleQuestion("AAPL", "1h"))
    finally:
        postgres.drop(empty)


def test_dbt_logs_in_as_the_pipeline(served: Warehouse) -> None:
    place = served.database
    assert dbt_environment(served) == {
        "CHANDLERY_DATABASE__HOST": "127.0.0.1",
        "CHANDLERY_DATABASE__PORT": str(place.port),
        "CHANDLERY_DATABASE__NAME": place.name,
        "CHANDLERY_DBT_USER": "chandlery_pipeline",
        "CHANDLERY_DBT_PASSWORD": place.login("pipeline")[1],
    }


def test_publication_gives_every_dataset_a_version(fresh: Warehouse, tell: Tell) -> None:
    tables = [f"create table {relation} as select i from generate_series(1, 2) as i" for relation in SERVED.values()]
    tell(fresh, *tables, role="pipeline")
    publish(fresh, run_id="run-1", source="wiki")
    rows = publish(fresh, run_id="run-2", source="wiki")
    assert rows == tuple({"dataset": name, "version": 2, "rows": 2} for name in SERVED)
    assert current_versions(fresh) == dict.fromkeys(SERVED, 2)
