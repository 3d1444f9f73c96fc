"""Great Expectations gives the verdict of the rules on what is table-shaped."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.audit import audit
from chandlery.quality.context import AuditContext
from chandlery.quality.gx import BatchContract, ContractResult

Tape = Callable[[str, str], tuple[pl.DataFrame, AuditContext]]
OPEN = datetime(2016, 2, 9, tzinfo=UTC)
SESSIONS = pl.DataFrame(
    {"session": [date(2016, 2, 9)], "open": [OPEN], "close": [OPEN + timedelta(days=1)], "is_early": [False]}
).with_columns(pl.col("open", "close").dt.cast_time_unit("us"))
CONTEXT = AuditContext(
    Instrument(6, "X:BTCUSD", AssetClass.CRYPTO, "24/7"), Timeframe.M1, date(2016, 2, 9), date(2016, 2, 10), SESSIONS
)


def batch(n: int) -> pl.DataFrame:
    k = pl.int_range(n)
    return pl.select(
        ts=pl.lit(OPEN).dt.cast_time_unit("us") + pl.duration(minutes=k),
        open=100.0 + k % 7,
        high=110.0 + k % 5,
        low=90.0 - k % 3,
        close=101.0 + k % 4,
        volume=0.25 + k,
        vwap=None,
        trade_count=None,
    ).cast(dict(BAR_SCHEMA))


def put(bars: pl.DataFrame, row: int, column: str, value: float | datetime | None) -> pl.DataFrame:
    here = pl.int_range(pl.len()) == row
    new = pl.lit(value, dtype=BAR_SCHEMA[column])
    return bars.with_columns(pl.when(here).then(new).otherwise(column).alias(column))


def failed(result: ContractResult) -> dict[str, tuple[int, ...]]:
    return {item.name: item.rows for item in result.expectations if not item.success}


def test_sound_batch_fulfils_the_contract() -> None:
    result = BatchContract().validate(batch(1440), CONTEXT)
    assert result.success
    assert result.rows == ()
    assert len(result.expectations) >= 12
    assert len({item.name for item in result.expectations}) == len(result.expectations)


def test_empty_batch_fulfils_the_contract() -> None:
    assert BatchContract().validate(batch(1440).clear(), CONTEXT).success


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("close", float("nan"), {"values_are_present:close": (7,)}),
        ("volume", None, {"values_are_present:volume": (7,)}),
        ("low", 0.0, {"prices_are_positive:low": (7,)}),
        ("volume", -1.0, {"prices_are_positive:volume": (7,)}),
        ("high", float("inf"), {"prices_are_positive:high": (7,)}),
        ("high", 100.5, {"high_covers_body": (7,)}),
        ("low", 100.5, {"low_covers_body": (7,)}),
        ("ts", OPEN, {"key_is_unique": (0, 7)}),
    ],
)
def test_broken_batch_fails_with_the_broken_row(
    column: str, value: float | datetime | None, expected: dict[str, tuple[int, ...]]
) -> None:
    result = BatchContract().validate(put(batch(60), 7, column, value), CONTEXT)
    assert failed(result) == expected
    assert result.rows == next(iter(expected.values()))


def test_first_offending_instant_is_named() -> None:
    result = BatchContract().validate(put(batch(60), 7, "low", 0.0), CONTEXT)
    (item,) = [item for item in result.expectations if not item.success]
    assert item.first_ts == OPEN + timedelta(minutes=7)
    assert item.unexpected == 1


def test_more_bars_than_the_window_has_minutes_fail_as_a_table() -> None:
    result = BatchContract().validate(batch(1441), CONTEXT)
    assert failed(result) == {"batch_fits_its_window": ()}


def test_copy_of_a_bar_is_no_offence_here() -> None:
    bars = batch(60)
    assert BatchContract().validate(pl.concat([bars, bars.slice(3, 1)]), CONTEXT).success


@pytest.mark.parametrize(
    ("name", "symbol", "rows"),
    [("us_daily/BA", "BA", 1), ("us_daily/yahoo_SPY", "SPY", 2), ("us_minute/AAPL", "AAPL", 0)],
)
def test_verdict_on_real_bars_equals_that_of_the_rules(tape: Tape, name: str, symbol: str, rows: int) -> None:
    bars, context = tape(name, symbol)
    result = BatchContract().validate(bars, context)
    assert result.rows == audit(bars, context).held
    assert len(result.rows) == rows


def test_batches_in_one_validation_are_judged_each_by_itself() -> None:
    low, late = put(batch(60), 7, "low", 0.0), batch(1441)
    asked = [(item, CONTEXT) for item in (batch(60), low, batch(60).clear(), late, put(batch(60), 3, "ts", OPEN))]
    together = BatchContract().validate_all(asked)
    assert [item.success for item in together] == [True, False, True, False, False]
    assert together == tuple(BatchContract().validate(bars, context) for bars, context in asked)


def test_nothing_to_judge_gives_no_results() -> None:
    assert BatchContract().validate_all([]) == ()
