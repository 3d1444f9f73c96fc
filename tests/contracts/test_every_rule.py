"""Conformance of the rule registry: each rule passes its clean tape and finds exactly the rows broken in its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import polars as pl
import pytest

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass, Instrument, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.quality.audit import audit
from chandlery.quality.checks import CHECKS
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import Severity
from chandlery.quality.rules.registry import FAMILIES, RULES, rules_for

_SYMBOLS = {AssetClass.STOCKS: "AAA", AssetClass.CRYPTO: "X:AAAUSD", AssetClass.INDICES: "I:AAA"}


@dataclass(frozen=True)
class Broken:
    """How to break a clean tape for one rule, and the rows that must be found."""

    damage: Callable[[pl.DataFrame], pl.DataFrame]
    rows: tuple[int, ...]
    timeframe: Timeframe = Timeframe.M1


@cache
def context_of(
    asset_class: AssetClass = AssetClass.STOCKS, timeframe: Timeframe = Timeframe.M1, days: int = 9
) -> AuditContext:
    start, end = date(2012, 12, 21), date(2012, 12, 21) + timedelta(days=days)
    calendar = calendar_of(asset_class)
    instrument = Instrument(1, _SYMBOLS[asset_class], asset_class, calendar)
    return AuditContext(instrument, timeframe, start, end, sessions(calendar, start, end))


def clean_tape(context: AuditContext) -> pl.DataFrame:
    """Every regular minute (or day) of the window; 2012-12-24 is a half day, 2012-12-25 a holiday."""
    minutes = pl.datetime_ranges("open", "close", interval="1m", closed="left")
    stamps = pl.col("day_ts") if context.timeframe is Timeframe.D1 else minutes.explode()
    k = pl.int_range(pl.len())
    return context.sessions.select(ts=stamps).select(
        "ts",
        open=100.0 + k % 7,
        high=110.0 + k % 5,
        low=90.0 - k % 3,
        close=101.0 + k % 4,
        volume=1000.0 + k,
        vwap=pl.lit(100.5),
        trade_count=pl.lit(10, dtype=pl.Int64),
    )


def put(row: int, **values: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Set columns of one row."""

    def damage(bars: pl.DataFrame) -> pl.DataFrame:
        place = pl.int_range(pl.len()) == row
        return bars.with_columns(
            pl.when(place).then(pl.lit(value, dtype=BAR_SCHEMA[name])).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
        )

    return damage


def copied(row: int, **values: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Append a copy of one row, with columns changed."""

    def damage(bars: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([bars, put(0, **values)(bars.slice(row, 1))])

    return damage


def instant(day: int, hour: int, minute: int, second: int = 0, *, month: int = 12) -> datetime:
    return datetime(2012, month, day, hour, minute, second, tzinfo=UTC)


# The clean tape begins on Friday 2012-12-21 14:30Z; its rows 390..599 are the half day 2012-12-24, 14:30Z to 18:00Z.
BROKEN: dict[str, tuple[Broken, ...]] = {
    "values_are_finite": (
        Broken(put(3, close=float("nan")), (3,)),
        Broken(put(4, volume=float("inf")), (4,)),
        Broken(put(5, open=None), (5,)),
        Broken(put(6, vwap=float("nan")), (6,)),
    ),
    "prices_are_positive": (
        Broken(put(3, low=0.0), (3,)),
        Broken(put(4, low=-5.0), (4,)),
        Broken(put(5, volume=-1.0), (5,)),
    ),
    "high_covers_body": (Broken(put(7, high=99.0, open=100.0), (7,)), Broken(put(8, high=101.5, close=102.0), (8,))),
    "low_covers_body": (Broken(put(7, low=100.5, open=100.0), (7,)), Broken(put(8, low=102.0, close=101.0), (8,))),
    "vwap_lies_within_range": (
        Broken(put(9, vwap=115.0), (9,)),
        Broken(put(9, vwap=50.0), (9,)),
    ),
    "trade_count_fits_volume": (
        Broken(put(9, trade_count=0), (9,)),
        Broken(put(9, volume=5.0), (9,)),
        Broken(put(9, trade_count=-1), (9,)),
    ),
    "key_is_unique": (Broken(copied(10, close=102.5), (10, 1770)),),
    "bar_is_not_repeated": (Broken(copied(10), (1770,)),),
    "ts_is_on_grid": (
        Broken(put(0, ts=instant(21, 14, 30, 1)), (0,)),
        Broken(put(0, ts=instant(21, 14, 30)), (0,), Timeframe.D1),
    ),
    "bar_lies_in_its_window": (
        Broken(put(0, ts=instant(20, 14, 30)), (0,)),
        Broken(put(1769, ts=instant(31, 14, 30)), (1769,)),
    ),
    "bar_lies_in_a_session": (
        # 08:59Z is 03:59 in New York; 22:00Z on the half day is 17:00; the 25th is Christmas.
        Broken(put(0, ts=instant(21, 8, 59)), (0,)),
        Broken(put(390, ts=instant(24, 22, 0)), (390,)),
        Broken(put(600, ts=instant(25, 15, 0)), (600,)),
        Broken(put(2, ts=instant(25, 5, 0)), (2,), Timeframe.D1),
    ),
    "bar_is_no_filler": (
        Broken(put(9, volume=0.0, open=101.0, high=101.0, low=101.0, close=101.0), (9,)),
        Broken(put(1, volume=0.0, open=101.0, high=101.0, low=101.0, close=101.0), (1,), Timeframe.D1),
    ),
    "price_moves_with_volume": (Broken(put(9, volume=0.0), (9,)),),
}

CASES = [pytest.param(name, case, id=f"{name}-{n}") for name, cases in BROKEN.items() for n, case in enumerate(cases)]


@pytest.mark.parametrize("name", list(RULES))
@pytest.mark.parametrize("asset_class", list(_SYMBOLS))
@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.D1])
def test_clean_tape_passes(name: str, asset_class: AssetClass, timeframe: Timeframe) -> None:
    context = context_of(asset_class, timeframe, days=4)
    bars = clean_tape(context).with_row_index("row")
    if RULES[name].applies_to(context):
        assert RULES[name].check(bars, context).is_empty()


@pytest.mark.parametrize(("name", "case"), CASES)
def test_broken_tape_fails_with_exactly_the_broken_rows(name: str, case: Broken) -> None:
    context = context_of(timeframe=case.timeframe)
    bars = case.damage(clean_tape(context))
    found = RULES[name].check(bars.with_row_index("row"), context)
    assert tuple(found["row"].to_list()) == case.rows
    assert all(isinstance(json.loads(text), dict) for text in found["evidence"])


@pytest.mark.parametrize(("name", "case"), CASES)
def test_audit_holds_exactly_what_the_rule_holds(name: str, case: Broken) -> None:
    context = context_of(timeframe=case.timeframe)
    verdict = audit(case.damage(clean_tape(context)), context, rules=[RULES[name]])
    assert verdict.held == (case.rows if RULES[name].is_holding else ())


@pytest.mark.parametrize("name", list(RULES))
def test_rule_never_raises_on_an_empty_batch(name: str) -> None:
    for timeframe in (Timeframe.M1, Timeframe.D1):
        context = context_of(timeframe=timeframe)
        if RULES[name].applies_to(context):
            assert RULES[name].check(clean_tape(context).clear().with_row_index("row"), context).is_empty()


def test_every_rule_has_a_broken_tape_of_its_own() -> None:
    assert set(BROKEN) == set(RULES)


def test_rule_names_are_sentences_and_documented() -> None:
    for name, rule in RULES.items():
        assert name == rule.name
        assert len(name.split("_")) >= 3
        assert rule.doc.endswith(".")
        assert FAMILIES[name]


def test_rules_answer_checks_and_cost_the_term_of_theirs() -> None:
    for rule in RULES.values():
        assert rule.term is CHECKS[rule.number].term


def test_what_needs_more_than_one_batch_is_no_question_of_the_gate() -> None:
    # Listing dates, habits of 20 sessions and other windows are known when a published series is judged.
    assert not {rule.number for rule in RULES.values()} & {8, 17}


def test_weights_follow_the_severity() -> None:
    # market-data.md section 7.4: 1 critical, 0.5 major, 0.15 minor.
    assert [level.weight for level in Severity] == [1.0, 0.5, 0.15, 0.0]


def test_volume_rules_skip_indices() -> None:
    names = {rule.name for rule in rules_for(context_of(AssetClass.INDICES))}
    assert not names & {"bar_is_no_filler", "price_moves_with_volume", "trade_count_fits_volume"}
    assert "high_covers_body" in names
