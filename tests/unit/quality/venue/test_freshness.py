"""Who owes bars, since when, and by when."""

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
from venue_views import clean_venue, first_ts, opening, session_of, with_member, without_bars

from chandlery.market.timeframes import Timeframe
from chandlery.quality.venue.registry import VENUE_RULES
from chandlery.quality.venue.view import VenueView

RULE = VENUE_RULES["bars_are_fresh"]
VIEW = clean_venue()
LASTS = [session_of(VIEW, place) for place in (-2, -1)]
LATE = without_bars(VIEW, [3], LASTS)


def late(view: VenueView) -> list[int]:
    return RULE.judge(view)["instrument_id"].to_list()


def test_one_finding_spans_all_late_sessions_and_tells_how_late() -> None:
    hits = RULE.judge(replace(LATE, now=LATE.now + timedelta(hours=5)))
    assert hits.select("session", "last_session").row(0) == (LASTS[0], LASTS[1])
    evidence = json.loads(hits["evidence"][0])
    assert evidence["symbol"] == "S03"
    assert evidence["sessions_late"] == 2
    assert evidence["last_session_with_bars"] == session_of(VIEW, -3).isoformat()
    # The first of the two was due a day before the other: at the opening of the last judged session.
    due = opening(VIEW, -1)
    assert evidence["deadline"] == due.isoformat()
    hours = (LATE.now + timedelta(hours=5) - due) / timedelta(hours=1)
    assert evidence["votes"][0]["hours_over_the_deadline"] == round(hours, 1)


def test_session_that_is_not_due_owes_nothing() -> None:
    before = opening(VIEW, -1) - timedelta(minutes=1)
    assert late(replace(LATE, now=before)) == []
    assert late(replace(LATE, now=opening(VIEW, -1))) == [3]


def test_instrument_that_is_not_listed_owes_nothing() -> None:
    assert late(with_member(LATE, 3, delisted_on=LASTS[0])) == []
    assert late(with_member(LATE, 3, delisted_on=LASTS[1])) == [3]
    newcomer = without_bars(VIEW, [3], VIEW.sessions["session"].to_list())
    assert late(with_member(newcomer, 3, listed_on=LASTS[1] + timedelta(days=1))) == []


def test_recording_that_ends_owes_nothing_after_its_end() -> None:
    assert late(with_member(LATE, 3, ends_on=session_of(VIEW, -3))) == []
    assert late(with_member(LATE, 3, ends_on=LASTS[0])) == [3]


def test_sessions_before_an_instrument_was_tracked_are_not_late() -> None:
    never = without_bars(VIEW, [3], VIEW.sessions["session"].to_list())
    since = with_member(never, 3, tracked_from=opening(VIEW, -1))
    hits = RULE.judge(since)
    assert hits.select("instrument_id", "ts").rows() == [(3, first_ts(VIEW, -1))]
    assert late(with_member(never, 3, tracked_from=VIEW.now)) == []


def test_hole_with_bars_after_it_is_not_lateness() -> None:
    assert late(without_bars(VIEW, [3], [session_of(VIEW, -3)])) == []


def test_bars_that_came_before_they_were_due_count() -> None:
    early = VIEW.sessions.filter(pl.col("session") >= VIEW.end)["session"][0]
    row = VIEW.counts.filter(pl.col("instrument_id") == 3).tail(1).with_columns(session=pl.lit(early))
    assert late(replace(LATE, counts=pl.concat([LATE.counts, row]))) == []


def test_streamed_minutes_are_due_after_the_minutes_that_are_set() -> None:
    view = clean_venue(Timeframe.M1)
    silent = without_bars(view, [5], [session_of(view, -1)])
    shortly = replace(silent, now=opening(view, -1, 390 + 19))
    assert late(replace(shortly, overrides={"freshness_minutes": 20.0})) == []
    assert late(replace(shortly, overrides={"freshness_minutes": 15.0})) == [5]
    assert late(shortly) == []
