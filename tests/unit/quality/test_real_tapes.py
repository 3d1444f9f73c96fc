"""The rules on real bars; what they must find is in the README and known_defects.json of the shared tapes."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from chandlery.quality.audit import Audit, audit
from chandlery.quality.context import AuditContext

Tape = Callable[[str, str], tuple[pl.DataFrame, AuditContext]]


def verdict_on(tape: Tape, name: str, symbol: str) -> Audit:
    return audit(*tape(name, symbol))


def found(verdict: Audit, rule: str) -> list[date]:
    return verdict.findings.filter(pl.col("rule") == rule)["session"].to_list()


@pytest.mark.parametrize(
    ("name", "symbol", "rows"),
    [
        ("us_minute/AAPL", "AAPL", 8190),
        ("us_minute/MSFT", "MSFT", 8190),
        ("us_minute/SPY_2011-01", "SPY", 14180),
        ("us_minute/I_SPX_2019-11", "I:SPX", 1563),
        ("us_daily/EBAY", "EBAY", 3842),
        ("us_daily/yahoo_AAPL", "AAPL", 3379),
    ],
)
def test_sound_tape_passes_without_a_finding(tape: Tape, name: str, symbol: str, rows: int) -> None:
    verdict = verdict_on(tape, name, symbol)
    assert verdict.findings.is_empty()
    assert verdict.held == ()
    assert verdict.passed.height == rows


def test_close_above_high_of_ba_is_held(tape: Tape) -> None:
    verdict = verdict_on(tape, "us_daily/BA", "BA")
    assert found(verdict, "high_covers_body") == [date(1962, 1, 23)]
    assert verdict.findings.height == 1
    assert verdict.held_rules == (("high_covers_body",),)
    assert not verdict.blocked
    assert verdict.passed.height == 13_089


def test_opens_below_the_low_of_yahoo_spy_are_held(tape: Tape) -> None:
    verdict = verdict_on(tape, "us_daily/yahoo_SPY", "SPY")
    assert found(verdict, "low_covers_body") == [date(2015, 3, 5), date(2015, 3, 30)]
    assert verdict.findings.height == 2


def test_bitcoin_fillers_are_found_and_kept(tape: Tape) -> None:
    verdict = verdict_on(tape, "crypto_minute/X_BTCUSD_bitfinex_2016", "X:BTCUSD")
    assert len(found(verdict, "bar_is_no_filler")) == 18_362
    assert verdict.held == ()
    assert verdict.passed["ts"].is_sorted()


def test_extra_session_of_aapl_is_found(tape: Tape) -> None:
    verdict = verdict_on(tape, "us_daily/AAPL", "AAPL")
    assert found(verdict, "bar_lies_in_a_session") == [date(1985, 9, 27)]
    # 2000-09-29 (-51.9 %, a true crash) is among the bars nothing is said about, and missing sessions are no batch's.
    assert verdict.findings.height == 1


def test_flat_day_without_volume_of_ge_is_found(tape: Tape) -> None:
    verdict = verdict_on(tape, "us_daily/GE", "GE")
    assert found(verdict, "bar_is_no_filler") == [date(1962, 11, 9)]
    assert verdict.findings.height == 1


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume", "vwap"])
def test_number_no_market_has_is_held(tape: Tape, column: str) -> None:
    bars, context = tape("us_minute/AAPL", "AAPL")
    place = pl.int_range(pl.len()) == 100
    huge = bars.with_columns(pl.when(place).then(1e308).otherwise(pl.col(column)).alias(column))
    verdict = audit(huge, context)
    assert verdict.held == (100,)
    assert "values_are_finite" in verdict.held_rules[0]
