"""Bars that did not come."""

from dataclasses import replace
from datetime import timedelta

from quality_cases import BrokenVenue
from venue_views import clean_venue, first_ts, opening, session_of, without_bars

from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.market.timeframes import Timeframe
from chandlery.quality.verdicts import Verdict


def _cases() -> tuple[BrokenVenue, ...]:
    days, minutes, crypto = clean_venue(), clean_venue(Timeframe.M1), clean_venue(Timeframe.D1, "24/7")
    lasts = [session_of(days, place) for place in (-2, -1)]
    alone = without_bars(days, [3], lasts)
    halt = SessionException("NYSE", ExceptionKind.HALT, opening(days, -2), opening(days, -1, 390), "news", 3)
    # Every third session of its history is without a trade as well.
    rare = without_bars(alone, [3], days.sessions["session"][:20:3])
    # A stream owes its minutes 20 minutes after the close, long before the next opening.
    streamed = replace(
        without_bars(minutes, [5], [session_of(minutes, -1)]),
        now=opening(minutes, -1, 390 + 21),
        overrides={"freshness_minutes": 20.0},
    )
    return (
        BrokenVenue(alone, ((3, first_ts(days, -2)),), Verdict.CONFIRMED),
        BrokenVenue(replace(alone, exceptions=(halt,)), ((3, first_ts(days, -2)),), Verdict.EXPLAINED),
        BrokenVenue(rare, ((3, first_ts(days, -2)),), Verdict.SUSPECTED),
        BrokenVenue(streamed, ((5, first_ts(minutes, -1)),), Verdict.CONFIRMED),
        BrokenVenue(
            without_bars(crypto, [1, 2], [session_of(crypto, -1)]),
            ((1, first_ts(crypto, -1)), (2, first_ts(crypto, -1))),
            Verdict.CONFIRMED,
        ),
        BrokenVenue(
            replace(without_bars(minutes, [5], [session_of(minutes, -1)]), now=minutes.now + timedelta(hours=1)),
            ((5, first_ts(minutes, -1)),),
            Verdict.CONFIRMED,
        ),
    )


CASES = {"bars_are_fresh": _cases()}
