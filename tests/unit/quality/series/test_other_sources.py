"""Which feeds are one source, and what another one may say."""

from dataclasses import replace

import polars as pl
import pytest
from series_cases.days import ts_session, witness_of
from series_cases.other_sources import off
from series_views import by_session, clean_view

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.other_sources import independent_witnesses, is_one_source, witness_words
from chandlery.quality.series.registry import SERIES_RULES

RULE = SERIES_RULES["other_source_agrees"]
DAYS = by_session(clean_view(Timeframe.D1, judged=10))


def shifted(bps: float, *, days: int | None = None) -> pl.DataFrame:
    return DAYS.head(days or DAYS.height).with_columns(close=pl.col("close") * (1 + bps * 1e-4))


@pytest.mark.parametrize(("bps", "days", "expected"), [(0.003, 70, True), (0.3, 70, False), (0.003, 19, False)])
def test_feeds_within_a_hundredth_of_a_basis_point_are_one_source(bps: float, days: int, expected: bool) -> None:
    # 0.003 bps is what two copies of one vendor's AAPL differ by, 0.3 the median of two independent vendors.
    assert is_one_source(DAYS, shifted(bps, days=days)) is expected
    assert is_one_source(shifted(bps, days=days), DAYS) is expected


def test_one_bad_day_does_not_make_a_copy_independent() -> None:
    view = clean_view(Timeframe.D1, judged=10)
    copy = off(by_session(view), ts_session(view, 4), close=1.01)
    assert RULE.judge(replace(view, witnesses={"copy": copy})).is_empty()


def test_copies_are_told_from_witnesses_and_short_acquaintances_are_not_judged() -> None:
    view = clean_view(Timeframe.D1, judged=10)
    own = by_session(view)
    sources = {"copy": own, "vendor": witness_of(view), "stranger": witness_of(view).head(19)}
    words = witness_words(replace(view, witnesses=sources))
    assert [(word.source, word.is_independent, word.sessions) for word in words] == [
        ("copy", False, own.height),
        ("vendor", True, own.height),
    ]
    minutes = clean_view(Timeframe.M1, lookback=25, judged=10)
    # A copy of this source's days is no witness of its minutes either.
    days = witness_of(minutes)
    (word,) = witness_words(replace(minutes, other=days, witnesses={"copy": days}))
    assert not word.is_independent


def test_two_copies_of_one_witness_are_one_voice() -> None:
    view = clean_view(Timeframe.D1, judged=10)
    wrong = off(witness_of(view), ts_session(view, 4), close=1.01)
    both = replace(view, witnesses={"one": wrong, "copy": wrong})
    assert list(independent_witnesses(both)) == ["copy"]
    assert RULE.judge(both)["verdict"].to_list() == ["suspected"]


def test_independent_vendor_that_agrees_is_no_finding() -> None:
    for timeframe, lookback in ((Timeframe.D1, 60), (Timeframe.M1, 25)):
        view = clean_view(timeframe, lookback=lookback, judged=10)
        assert RULE.judge(replace(view, witnesses={"vendor": witness_of(view)})).is_empty()


def test_day_volume_is_no_measure_of_regular_minutes() -> None:
    view = clean_view(Timeframe.M1, lookback=25, judged=10)
    loud = witness_of(view).with_columns(volume=3 * pl.col("volume"))
    assert RULE.judge(replace(view, witnesses={"vendor": loud})).is_empty()


def test_volume_of_an_index_is_not_compared() -> None:
    view = clean_view(Timeframe.D1, AssetClass.INDICES, judged=10)
    loud = witness_of(view).with_columns(volume=pl.lit(9.0))
    assert RULE.judge(replace(view, witnesses={"vendor": loud})).is_empty()


def test_sessions_with_missing_minutes_are_not_compared() -> None:
    view = clean_view(Timeframe.M1, lookback=25, judged=10)
    session = ts_session(view, 4)
    part = view.marked.filter((pl.col("session") != session) | (pl.col("minute") < 380)).select(view.bars.columns)
    wrong = off(witness_of(view), session, close=1.01)
    assert RULE.judge(replace(view, bars=part, witnesses={"vendor": wrong})).is_empty()


def test_prices_no_market_has_are_not_compared() -> None:
    view = clean_view(Timeframe.D1, judged=10)
    nothing = off(witness_of(view), ts_session(view, 4), close=0.0)
    assert RULE.judge(replace(view, witnesses={"vendor": nothing})).is_empty()
