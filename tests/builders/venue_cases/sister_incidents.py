"""Minutes missed by several instruments at once."""

from dataclasses import replace

from quality_cases import BrokenVenue
from venue_views import clean_venue, opening, with_missing

from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.market.timeframes import Timeframe
from chandlery.quality.verdicts import Verdict


def _cases() -> tuple[BrokenVenue, ...]:
    view = clean_venue(Timeframe.M1)
    span = [opening(view, 1, minute) for minute in range(100, 107)]
    together = with_missing(view, [2, 4, 7], span)
    # A fourth joins for two of the minutes; apart from it, one instrument misses another minute alone.
    wider = with_missing(with_missing(together, [9], span[3:5]), [9], [opening(view, 2, 5)])
    twice = with_missing(together, [2, 4, 7], [opening(view, 3, 0)])
    halt = SessionException("NYSE", ExceptionKind.HALT, span[0], opening(view, 1, 107), "market-wide halt")
    half = replace(halt, ends_at=span[3])
    everybody = with_missing(view, range(1, 13), span)
    one = (None, span[0])
    return (
        BrokenVenue(together, (one,), Verdict.CONFIRMED),
        BrokenVenue(wider, (one,), Verdict.CONFIRMED),
        BrokenVenue(twice, (one, (None, opening(view, 3, 0))), Verdict.CONFIRMED),
        BrokenVenue(everybody, (one,), Verdict.SUSPECTED),
        BrokenVenue(replace(everybody, exceptions=(halt,)), (one,), Verdict.EXPLAINED),
        BrokenVenue(replace(with_missing(view, range(1, 13), span[:3]), exceptions=(half,)), (one,), Verdict.EXPLAINED),
    )


CASES = {"no_minutes_are_missed_together": _cases()}
