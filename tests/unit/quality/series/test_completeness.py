"""Missing sessions, minutes and holes."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from series_cases.completeness import day, day_view, minutes_view, with_fillers, with_sisters, without_sessions
from series_views import by_session, clean_view, ts_of, with_bars, without
from tape_series import found_on, tape_view

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.judge import judge_series
from chandlery.quality.series.completeness import missing_minutes, missing_spans
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

BITCOIN = "crypto_minute/X_BTCUSD_bitfinex_2016"


def judged(name: str, view: SeriesView) -> pl.DataFrame:
    return judge_series(view, [SERIES_RULES[name]]).findings


def evidence(findings: pl.DataFrame) -> list[dict[str, Any]]:
    return [json.loads(text) for text in findings["evidence"]]


def thin_view(share: float, *, seed: int = 5) -> SeriesView:
    """A stock that trades in `share` of its minutes, each by chance, without fillers."""
    view = clean_view(Timeframe.M1, lookback=25, judged=35)
    kept = np.random.default_rng(seed).random(view.bars.height) < share
    return with_bars(view, view.bars.filter(pl.Series(kept)))


def test_missing_sessions_of_the_daily_tape_are_found_and_phantom_days_are_not() -> None:
    assert found_on(judged("session_has_its_bar", tape_view("us_daily/AAPL"))) == [date(1981, 8, 10), date(1983, 9, 23)]
    for name in ("BA", "GE", "EBAY", "yahoo_AAPL", "yahoo_SPY"):
        assert judged("session_has_its_bar", tape_view(f"us_daily/{name}")).is_empty()


def test_sixteen_outages_of_the_bitcoin_tape_are_holes_with_their_minutes() -> None:
    # The first and the last session are cut by the recording; the spacings are in known_defects.json, a spacing of n
    # minutes leaves out n - 1 bars.
    view = tape_view(BITCOIN)
    inside = missing_spans(view)[1:-1]
    spacings = [2, 2, 30292, 1392, 2, 1082, 3, 4, 1501, 15830, 2, 2, 2, 3, 3, 2]
    assert inside["minutes"].to_list() == [spacing - 1 for spacing in spacings]
    holes = judged("session_has_no_hole", view)
    assert holes["ts"].to_list()[1:-1] == inside["ts"].to_list()
    assert holes["ts_end"].to_list()[1:-1] == inside["ts_end"].to_list()
    assert set(holes["verdict"][1:-1]) == {"suspected"}
    # Before its first bar the recording had not begun; after its last one nobody asked whether more follow.
    assert (holes["verdict"][0], holes["verdict"][-1]) == ("explained", "explained")


def test_days_around_the_outages_are_short_and_quiet_days_are_not() -> None:
    short = found_on(judged("session_is_complete", tape_view(BITCOIN)))
    march = [date(2016, 3, number) for number in (14, 15, 16, 17, 28)]
    assert short == [date(2016, 2, 9), date(2016, 2, 22), *march, date(2016, 4, 19)]
    verdicts = judged("session_is_complete", tape_view(BITCOIN))["verdict"].to_list()
    assert verdicts == ["explained", *["suspected"] * 6, "explained"]
    runs = judged("session_has_its_bar", tape_view(BITCOIN))
    assert runs.select("session", "last_session").rows() == [
        (date(2016, 2, 23), date(2016, 3, 13)),
        (date(2016, 3, 18), date(2016, 3, 27)),
    ]


def cut_view(place: int = -1) -> SeriesView:
    """A series whose `place`-th judged session ends after its 200th minute."""
    view = minutes_view()
    return without(view, (pl.col("session") == day(view, place)) & (pl.col("minute") >= 200))


def without_later(view: SeriesView, last: date) -> SeriesView:
    return replace(view, asked=view.asked.filter(view.asked <= last))


def test_end_of_the_last_asked_session_is_explained_until_a_later_one_is_asked_for() -> None:
    view = cut_view()
    known = without_later(view, day(view, -1))
    for rule in ("session_is_complete", "session_has_no_hole"):
        (row,) = judged(rule, known).iter_rows(named=True)
        assert (row["session"], row["verdict"]) == (day(view, -1), "explained")
        assert judged(rule, cut_view(5))["verdict"].to_list() == ["suspected"]
    (facts,) = evidence(judged("session_is_complete", known))
    assert facts["votes"] == [{"by": "asked", "says": "explained", "minutes": 190}]


def test_last_session_that_others_saw_trade_or_that_lacks_its_middle_stays_a_defect() -> None:
    view = without_later(cut_view(), day(cut_view(), -1))
    whole = by_session(minutes_view())
    middle = (pl.col("session") == day(view, -1)) & pl.col("minute").is_between(100, 199)
    for seen in (
        replace(view, other=whole),
        replace(view, witnesses={"vendor": whole}),
        with_sisters(view),
        replace(view, held=(ts_of(view, -1, 300),)),
        without_later(without(minutes_view(), middle), day(view, -1)),
    ):
        (row,) = judged("session_is_complete", seen).iter_rows(named=True)
        assert row["verdict"] in {"suspected", "confirmed"}


@pytest.mark.parametrize("name", ["AAPL", "MSFT", "SPY_2011-01", "I_SPX_2019-11"])
def test_complete_minutes_of_the_tapes_pass(name: str) -> None:
    view = tape_view(f"us_minute/{name}")
    for rule in ("session_has_its_bar", "session_is_complete", "session_has_no_hole"):
        assert judged(rule, view).is_empty()
    assert missing_spans(view).is_empty()


def test_half_day_and_change_of_the_clock_are_complete() -> None:
    view = clean_view(Timeframe.M1, lookback=20, judged=45)
    assert date(2012, 11, 23) in view.sessions.filter("is_early")["session"].to_list()
    for rule in ("session_has_its_bar", "session_is_complete", "session_has_no_hole"):
        assert judged(rule, view).is_empty()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.9])
def test_symbol_that_trades_now_and_then_misses_nothing(share: float) -> None:
    view = thin_view(share)
    for rule in ("session_has_its_bar", "session_is_complete", "session_has_no_hole"):
        assert judged(rule, view).is_empty()
    assert missing_minutes(view).is_empty()


@pytest.mark.parametrize("share", [0.96, 0.98, 0.995])
def test_single_minutes_a_busy_symbol_leaves_out_are_no_holes(share: float) -> None:
    # Two to sixteen minutes a session are left out.
    view = thin_view(share)
    assert judged("session_has_no_hole", view).is_empty()
    assert missing_minutes(view).height > 0


def test_half_of_a_thin_session_lost_is_found() -> None:
    view = thin_view(0.6)
    cut = without(view, (pl.col("session") == day(view, 9)) & (pl.col("minute") >= 195))
    assert found_on(judged("session_is_complete", cut)) == [day(view, 9)]


def test_evidence_counts_bars_gaps_and_the_longest_one() -> None:
    view = minutes_view()
    here = pl.col("session") == day(view, 4)
    gone = pl.col("minute").is_between(10, 29) | pl.col("minute").is_between(100, 139)
    found = judged("session_is_complete", without(view, here & gone))
    (facts,) = evidence(found)
    assert facts == {"count": 330, "expected": 390.0, "minutes": 390, "gaps": 2, "longest": 40, "held": 0}
    assert found.select("ts", "ts_end").row(0) == (ts_of(view, 4, 10), ts_of(view, 4, 140))


def test_outage_that_began_before_the_judged_sessions_keeps_its_beginning() -> None:
    view = day_view()
    gone = without_sessions(view, 0, 1, 2, 3)
    later = replace(gone, start=day(view, 2))
    whole, again = (judged("session_has_its_bar", item) for item in (gone, later))
    assert whole.select("ts", "session", "last_session").row(0) == (ts_of(view, 0), day(view, 0), day(view, 3))
    assert again.equals(whole)


def test_sessions_apart_are_two_findings_and_unasked_ones_between_part_them() -> None:
    view = day_view()
    gone = without_sessions(view, 2, 3, 4)
    assert judged("session_has_its_bar", gone)["session"].to_list() == [day(view, 2)]
    unasked = replace(gone, asked=view.asked.filter(view.asked != day(view, 3)))
    assert judged("session_has_its_bar", unasked)["session"].to_list() == [day(view, 2), day(view, 4)]


def test_instrument_of_unknown_listing_misses_nothing_before_its_first_bar() -> None:
    view = replace(minutes_view(), listed_on=None)
    late = without(view, pl.col("session") < day(view, 5))
    assert judged("session_has_its_bar", late).is_empty()
    assert missing_minutes(late).is_empty()


def test_series_without_any_bar_misses_all_its_sessions_once() -> None:
    view = day_view()
    (row,) = judged("session_has_its_bar", with_bars(view, view.bars.clear())).iter_rows(named=True)
    assert (row["session"], row["last_session"]) == (view.sessions["session"][0], view.sessions["session"][-1])


def test_missing_minutes_are_those_taken_away_and_fillers_count_where_all_minutes_trade() -> None:
    view = minutes_view()
    gone = [ts_of(view, 4, minute) for minute in (5, 6, 7, 200)]
    absent = without(view, pl.col("ts").is_in(gone))
    assert missing_minutes(absent)["ts"].to_list() == gone
    here = pl.col("ts").is_in(gone)
    flat = [pl.when(here).then("open").otherwise(name).alias(name) for name in ("high", "low", "close")]
    empty = pl.when(here).then(0.0).otherwise("volume").alias("volume")
    assert missing_minutes(with_bars(view, view.bars.with_columns(*flat, empty)))["ts"].to_list() == gone
    assert missing_spans(absent)["minutes"].to_list() == [3, 1]


def test_fillers_are_the_word_of_a_source_that_nothing_traded() -> None:
    view = with_fillers(minutes_view(AssetClass.CRYPTO))
    assert missing_minutes(view).is_empty()
    ts = ts_of(view, 3, 700)
    assert missing_minutes(without(view, pl.col("ts") == ts))["ts"].to_list() == [ts]


def test_sessions_that_were_not_asked_for_miss_no_minutes() -> None:
    view = minutes_view()
    gone = without(view, pl.col("session") == day(view, 4))
    assert missing_minutes(gone).height == 390
    assert missing_minutes(replace(gone, asked=view.asked.filter(view.asked != day(view, 4)))).is_empty()


def test_share_that_is_demanded_can_be_set() -> None:
    view = minutes_view()
    gone = without(view, pl.col("ts") == ts_of(view, 4, 100))
    strict = replace(gone, overrides={"session_complete_share": 1.0})
    assert found_on(judged("session_is_complete", strict)) == [day(view, 4)]


def test_hole_around_the_clock_is_one_finding_over_its_days() -> None:
    view = with_fillers(minutes_view(AssetClass.CRYPTO))
    start, end = ts_of(view, 2, 1000), ts_of(view, 6, 30)
    gone = without(view, pl.col("ts").is_between(start, end, closed="left"))
    found = judged("session_has_no_hole", gone)
    expected: tuple[datetime, datetime, date, date] = (start, end, day(view, 2), day(view, 6))
    assert found.select("ts", "ts_end", "session", "last_session").rows() == [expected]
    assert evidence(found)[0]["minutes"] == (end - start) // timedelta(minutes=1)
