"""Where raw day prices jump by a ratio: the witness that a recorded split needs.

The jump at a session is the step from the close before it to its open or its close, whichever fits better: the open
of a thin stock may be stale, the close carries a day of trading.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from statistics import median

import polars as pl

_NEAR = timedelta(days=10)
"""How far a bar may lie from the day it speaks for; the longest closure since 1962 left 6 days (September 2001)."""
_LOOKBACK = 60
_LEAST_RETURNS = 20
_UNKNOWN_SIGMA = 0.02
_LEAST_TOLERANCE = 0.03
_MOST_BY_SIGMAS = 0.10
_HALF_CENT = 0.005
_MAD_TO_SIGMA = 1.4826


class Sight(StrEnum):
    """What prices say of a jump: seen, absent, neither of both, or nothing at all."""

    SEEN = "seen"
    ABSENT = "absent"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one session: how prices moved into it."""

    sight: Sight
    session: date | None = None
    moved: float = 0.0
    """New price over old, of open or close, whichever fits better."""
    distance: float = math.inf
    """Distance of the move from the ratio, as a logarithm."""
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class DayPrices:
    """Raw opens and closes of one instrument, ascending by session; sessions without a positive price are left out."""

    sessions: Sequence[date]
    opens: Sequence[float]
    closes: Sequence[float]

    @classmethod
    def of(cls, days: pl.DataFrame) -> "DayPrices":
        """Return the prices of a frame with `session`, `open`, `close`; any order, one row per session."""
        sound = [pl.col(name).is_finite() & (pl.col(name) > 0) for name in ("open", "close")]
        kept = days.filter(*sound).sort("session")
        return cls(kept["session"].to_list(), kept["open"].to_list(), kept["close"].to_list())

    def place_of(self, day: date) -> int | None:
        """Return the place of the first session on or after `day`, if it and the one before lie near."""
        place = bisect_left(self.sessions, day)
        if not 0 < place < len(self.sessions):
            return None
        near = self.sessions[place] - day <= _NEAR and day - self.sessions[place - 1] <= _NEAR
        return place if near else None

    def is_ahead(self, day: date) -> bool:
        """Tell whether there are sessions and `day` lies after the last of them."""
        return bool(self.sessions) and day > self.sessions[-1]

    def sigma(self, place: int) -> float:
        """Return the robust deviation of the log returns of up to 60 sessions before `place`."""
        window = self.closes[max(0, place - _LOOKBACK - 1) : place]
        returns = [math.log(after / before) for before, after in pairwise(window)]
        if len(returns) < _LEAST_RETURNS:
            return _UNKNOWN_SIGMA
        middle = median(returns)
        return _MAD_TO_SIGMA * median(abs(value - middle) for value in returns)

    def look(self, place: int, ratio: Fraction) -> Look:
        """Tell whether prices fell by `ratio` (new shares per old) into the session at `place`, and stayed there.

        A move is near the ratio, or near none, within max(3 %, 3 sigma, half a cent), and within 5 sigma up to 10 %:
        the 21 splits of the shared day tapes lie at most 4.8 sigma and 7 % from their ratio. Seen: near the ratio
        alone. Absent: away from it and nearer to no move. Unknown: near both, as a 21:20 on a lively stock always is.
        """
        expected = math.log(ratio)
        before, close = self.closes[place - 1], self.closes[place]
        price = min((self.opens[place], close), key=lambda new: abs(math.log(before / new) - expected))
        jump = math.log(before / price)
        distance = abs(jump - expected)
        sigma, tick = self.sigma(place), _HALF_CENT / min(before, price)
        tolerance = max(_LEAST_TOLERANCE, tick, 3 * sigma, min(5 * sigma, _MOST_BY_SIGMAS))
        if distance <= tolerance and abs(jump) <= tolerance:
            sight = Sight.UNKNOWN
        elif distance <= tolerance and not self._returns(place, expected):
            sight = Sight.SEEN
        else:
            is_absent = distance > tolerance and abs(jump) < abs(expected) / 2
            sight = Sight.ABSENT if is_absent else Sight.UNCLEAR
        session, moved = self.sessions[place], price / before
        return Look(sight=sight, session=session, moved=moved, distance=distance, tolerance=tolerance)

    def _returns(self, place: int, expected: float) -> bool:
        """Tell whether the next session takes the jump back: then one bar is off, the basis did not change."""
        if place + 1 >= len(self.sessions):
            return False
        return abs(math.log(self.closes[place] / self.closes[place + 1]) + expected) < abs(expected) / 2
