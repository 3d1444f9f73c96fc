"""Which minutes are missed together, and which by chance."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
from venue_views import clean_venue, opening, with_missing

from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.market.timeframes import Timeframe
from chandlery.quality.venue.registry import VENUE_RULES
from chandlery.quality.venue.view import MISSING_SCHEMA

RULE = VENUE_RULES["no_minutes_are_missed_together"]
VIEW = clean_venue(Timeframe.M1)
SPAN = [opening(VIEW, 1, minute) for minute in range(100, 107)]


def test_incident_has_its_span_and_members() -> None:
    (hit,) = RULE.judge(with_missing(VIEW, [2, 4, 7], SPAN)).iter_rows(named=True)
    assert (hit["ts"], hit["ts_end"]) == (SPAN[0], SPAN[-1] + timedelta(minutes=1))
    evidence = json.loads(hit["evidence"])
    assert (evidence["symbols"], evidence["minutes"], evidence["instruments"]) == ("S02, S04, S07", 7, 3)
    # The other nine of twelve traded in all of these minutes.
    assert evidence["votes"] == [{"by": "sisters", "instruments_that_traded": 9, "says": "defect"}]


def test_two_instruments_are_no_incident() -> None:
    assert RULE.judge(with_missing(VIEW, [2, 4], SPAN)).is_empty()
    assert RULE.judge(replace(with_missing(VIEW, [2, 4], SPAN), overrides={"sister_instruments": 2.0})).height == 1


def test_halt_of_one_instrument_takes_it_out_of_the_count() -> None:
    halt = SessionException("NYSE", ExceptionKind.HALT, SPAN[0], SPAN[-1] + timedelta(minutes=1), "news", 7)
    assert RULE.judge(replace(with_missing(VIEW, [2, 4, 7], SPAN), exceptions=(halt,))).is_empty()


def test_halt_explains_its_own_minutes_only() -> None:
    halt = SessionException("NYSE", ExceptionKind.HALT, SPAN[0], SPAN[3], "market-wide halt")
    hits = RULE.judge(replace(with_missing(VIEW, [2, 4, 7], SPAN), exceptions=(halt,)))
    assert hits.select("ts", "ts_end", "verdict").rows() == [
        (SPAN[0], SPAN[3], "explained"),
        (SPAN[3], SPAN[-1] + timedelta(minutes=1), "confirmed"),
    ]


def test_minutes_missed_by_chance_are_no_incident_and_an_outage_stays_one() -> None:
    # 200 instruments miss 1 % of their minutes each, independently: two a minute.
    view = clean_venue(Timeframe.M1, members=200)
    minutes = [opening(view, place, minute) for place in range(5) for minute in range(390)]
    places, numbers = np.nonzero(np.random.default_rng(11).random((len(minutes), 200)) < 0.01)
    rows = {"instrument_id": numbers + 1, "ts": [minutes[place] for place in places]}
    scattered = replace(view, missing=pl.DataFrame(rows).cast(dict(MISSING_SCHEMA)))
    together = with_missing(scattered, range(1, 31), SPAN)
    assert RULE.judge(scattered).is_empty()
    assert SPAN[0] in RULE.judge(together)["ts"].to_list()


def test_minutes_outside_the_judged_sessions_are_left_alone() -> None:
    before = VIEW.sessions["open"][0]
    assert RULE.judge(with_missing(VIEW, [2, 4, 7], [before])).is_empty()
