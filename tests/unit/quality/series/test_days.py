"""Day bars beside their minutes; what the real ones say is in known_defects.json of the shared tapes."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from series_cases.days import ts_session, with_minutes, with_other
from series_views import by_session, clean_view

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.context import AuditContext
from chandlery.quality.judge import judge_series
from chandlery.quality.series.other_sources import is_one_source
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SESSION_BARS_SCHEMA, SeriesView

RULE = SERIES_RULES["day_bar_agrees_with_its_minutes"]
Tape = Callable[[str, str], tuple[pl.DataFrame, AuditContext]]


def view_of(tape: Tape, name: str, symbol: str) -> SeriesView:
    bars, context = tape(name, symbol)
    days = context.sessions
    last = context.end
    return SeriesView(context.instrument, context.timeframe, context.start, last, bars, days, days["session"])


def rolled(view: SeriesView, where: pl.Expr) -> pl.DataFrame:
    sums = (pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("volume").sum())
    sessions = view.marked.filter(where).group_by("session", maintain_order=True)
    return sessions.agg(pl.col("open").first(), *sums, pl.len().alias("bars")).cast(dict(SESSION_BARS_SCHEMA))


def against_minutes(tape: Tape, day: str, minute: str, symbol: str) -> pl.DataFrame:
    minutes = view_of(tape, f"us_minute/{minute}", symbol)
    regular, every = rolled(minutes, pl.col("is_regular")), rolled(minutes, pl.lit(value=True))
    view = view_of(tape, f"us_daily/{day}", symbol)
    return judge_series(replace(view, other=regular, other_extended=every), [RULE]).findings


def test_two_bad_lows_of_spy_are_confirmed_and_nothing_else_in_twenty_days(tape: Tape) -> None:
    found = against_minutes(tape, "yahoo_SPY", "SPY_2011-01", "SPY")
    assert found["session"].to_list() == [date(2011, 1, 3), date(2011, 1, 12)]
    assert set(found["verdict"]) == {"confirmed"}
    first, second = (json.loads(text) for text in found["evidence"])
    # 125.70 while even the pre-market low is 126.30; 127.46 against 127.99 of the regular minutes.
    assert (first["low"], first["votes"][0]["extended_low"]) == (125.70, 126.30)
    assert (second["low"], second["low_of_minutes"]) == (127.46, 127.99)
    assert second["low_bps"] == pytest.approx(-41.4, abs=0.05)
    assert {"open", "high", "close", "volume"}.isdisjoint(first)


def test_aapl_of_2016_agrees_with_its_minutes(tape: Tape) -> None:
    assert against_minutes(tape, "yahoo_AAPL", "AAPL", "AAPL").is_empty()


def test_minutes_of_both_stocks_agree_with_the_closes_of_the_day_source(tape: Tape) -> None:
    rule = SERIES_RULES["other_source_agrees"]
    for day, minute, symbol in (("yahoo_SPY", "SPY_2011-01", "SPY"), ("yahoo_AAPL", "AAPL", "AAPL")):
        days = view_of(tape, f"us_daily/{day}", symbol)
        minutes = replace(view_of(tape, f"us_minute/{minute}", symbol), witnesses={"yahoo": by_session(days)})
        assert judge_series(minutes, [rule]).findings.is_empty()


def test_two_publishers_of_one_aapl_are_one_source(tape: Tape) -> None:
    # Since 2005-03-01 AAPL split once before the second file was made: 7 for 1 on 2014-06-09.
    wiki, yahoo = (by_session(view_of(tape, f"us_daily/{name}", "AAPL")) for name in ("AAPL", "yahoo_AAPL"))
    since = pl.col("session") > date(2005, 3, 1)
    assert is_one_source(wiki.filter(since).with_columns(pl.col("close") / 7), yahoo)


def test_day_that_equals_its_minutes_is_no_finding() -> None:
    assert RULE.judge(with_minutes(clean_view(Timeframe.D1, judged=10))).is_empty()


def test_session_without_all_its_minutes_is_not_compared() -> None:
    view = with_minutes(clean_view(Timeframe.D1, judged=10), share=0.98)
    assert RULE.judge(with_other(view, ts_session(view, 4), low=1.005)).is_empty()


def test_volume_of_an_index_is_not_compared() -> None:
    view = with_minutes(clean_view(Timeframe.D1, AssetClass.INDICES, judged=10))
    assert RULE.judge(view).is_empty()


def test_minutes_of_regular_hours_alone_confirm_nothing_about_the_others() -> None:
    view = with_minutes(clean_view(Timeframe.D1, judged=10))
    session = ts_session(view, 4)
    unreached = with_other(view, session, low=1.005)
    alone = replace(unreached, other_extended=unreached.other)
    assert RULE.judge(alone)["verdict"].to_list() == ["suspected"]


def test_one_explained_figure_does_not_explain_another() -> None:
    view = with_minutes(clean_view(Timeframe.D1, judged=10))
    session = ts_session(view, 4)
    broken = with_other(view, session, low=1.005, high=1.005)
    hits = RULE.judge(broken)
    # Extended hours explain the low; the day's high lies below what its minutes reached, which nothing explains.
    assert hits["verdict"].to_list() == ["suspected"]
    assert {"low_bps", "high_bps"} <= set(json.loads(hits["evidence"][0]))


def test_threshold_is_the_one_that_is_set() -> None:
    view = with_minutes(clean_view(Timeframe.D1, judged=10))
    broken = with_other(view, ts_session(view, 4), low=1.005)
    assert RULE.judge(replace(broken, overrides={"day_price_bps": 60.0})).is_empty()
