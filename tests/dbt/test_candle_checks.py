"""The check of candles on the real marts: silent on what dbt built, loud on what is wrong, patient with the late."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest

from chandlery.steps.candle_checks import CandleChecks, check_candles
from chandlery.store.recorded_findings import Scope

ALL = {"start": date(1980, 1, 1), "end": date(2020, 1, 1)}
APRIL = {"start": date(2016, 4, 25), "end": date(2016, 4, 30)}

Check = Callable[..., tuple[CandleChecks, list[tuple[Scope, pl.DataFrame]]]]


@pytest.fixture
def check(mart: Any) -> Check:
    def run(**window: Any) -> tuple[CandleChecks, list[tuple[Scope, pl.DataFrame]]]:
        recorded: list[tuple[Scope, pl.DataFrame]] = []
        receipt = check_candles(mart.warehouse, record=lambda scope, found: recorded.append((scope, found)), **window)
        return receipt, recorded

    return run


@pytest.fixture
def aapl(mart: Any) -> int:
    return int(mart.rows("select instrument_id from ops.instrument_tickers where ticker = 'AAPL'")[0][0])


@pytest.fixture
def broken(mart: Any, aapl: int) -> Iterator[None]:
    """Half an hour of AAPL with a high one cent too high, and one without its candle."""
    where = f"where instrument_id = {aapl} and ts = "
    mart.do(
        "create table public.kept as select * from marts.candles_30m "
        f"{where} any('{{2016-04-26 13:30+00,2016-04-27 14:00+00}}')",
        f"update marts.candles_30m set high = high + 0.01 {where} '2016-04-26 13:30+00'",
        f"delete from marts.candles_30m {where} '2016-04-27 14:00+00'",
    )
    yield
    mart.do(
        f"delete from marts.candles_30m {where} '2016-04-26 13:30+00'",
        "insert into marts.candles_30m select * from public.kept",
        "drop table public.kept",
    )


def test_candles_of_every_tape_equal_their_minutes(mart: Any, check: Check) -> None:
    receipt, recorded = check(**ALL)
    stored = sum(
        mart.rows(f"select count(*) from marts.candles_{name}")[0][0] for name in ("5m", "15m", "30m", "1h", "4h", "1d")
    )
    assert receipt.candles == stored > 0
    assert (receipt.findings, receipt.passed_over) == (0, 0)
    assert {(scope.calendar, scope.instrument_id) for scope, _ in recorded} == {("NYSE", None), ("24/7", None)}
    assert all(found.is_empty() for _, found in recorded)


@pytest.mark.usefixtures("broken")
def test_wrong_and_missing_candles_are_found_with_both_figures(check: Check, aapl: int) -> None:
    receipt, recorded = check(**APRIL, instrument_ids=(aapl,))
    found = pl.concat([frame for _, frame in recorded])
    assert receipt.findings == found.height == 2
    assert found["timeframe"].to_list() == ["30m", "30m"]
    assert found["session"].to_list() == [date(2016, 4, 26), date(2016, 4, 27)]
    assert set(found["instrument_id"]) == {aapl}
    assert "high_of_minutes" in found["evidence"][0]
    assert '"missing": "candle"' in found["evidence"][1]


def test_session_whose_minutes_changed_since_is_passed_over(mart: Any, check: Check, aapl: int) -> None:
    where = f"where instrument_id = {aapl} and timeframe = '1m' and session = '2016-04-27'"
    before = mart.rows(f"select ingest_id from ops.bar_sessions {where}")[0][0]
    mart.do(f"update ops.bar_sessions set ingest_id = 98 {where}")
    try:
        receipt, recorded = check(**APRIL)
    finally:
        mart.do(f"update ops.bar_sessions set ingest_id = {before} {where}")
    # One session of one instrument, in six timeframes.
    assert (receipt.passed_over, receipt.findings) == (6, 0)
    days = [
        (scope.start, scope.end) for scope, _ in recorded if scope.instrument_id == aapl and scope.timeframe == "1d"
    ]
    assert days == [(date(2016, 4, 25), date(2016, 4, 27)), (date(2016, 4, 28), date(2016, 4, 30))]


def test_timeframe_that_was_rebuilt_alone_makes_the_coarser_ones_late(mart: Any, check: Check, aapl: int) -> None:
    where = f"where model = 'candles_30m' and instrument_id = {aapl} and session = '2016-04-27'"
    before = mart.rows(f"select build_id from marts.candle_builds {where}")[0][0]
    mart.do(f"update marts.candle_builds set build_id = build_id + 1000000 {where}")
    try:
        receipt, _ = check(**APRIL)
    finally:
        mart.do(f"update marts.candle_builds set build_id = {before} {where}")
    # 1h, 4h and 1d stand on the build of 30m that is no more; 30m itself equals its minutes.
    assert receipt.passed_over == 3
