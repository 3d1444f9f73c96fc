"""Sessions on which a part of the venue is not there."""

from quality_cases import BrokenVenue
from venue_views import clean_venue, opening, session_of, without_bars

from chandlery.market.timeframes import Timeframe
from chandlery.quality.verdicts import Verdict


def _cases() -> tuple[BrokenVenue, ...]:
    days, minutes = clean_venue(), clean_venue(Timeframe.M1)
    # One of twelve is 8 %.
    return (
        BrokenVenue(without_bars(days, [3], [session_of(days, 2)]), ((None, opening(days, 2)),), Verdict.SUSPECTED),
        BrokenVenue(
            without_bars(minutes, range(1, 13), [session_of(minutes, 1)]),
            ((None, opening(minutes, 1)),),
            Verdict.SUSPECTED,
        ),
    )


CASES = {"universe_is_whole": _cases()}
