"""What volume says of a price: a crash is traded, a bad print is not."""

import numpy as np

from chandlery.quality.series._arrays import Bars, Floats
from chandlery.quality.verdicts import Says, Vote

CRASH_VOLUMES = 5.0
"""A true crash trades 5 to 20 times the usual volume."""
_HABIT = 20


def usual_volume(bars: Bars, volume: Floats, place: int) -> float:
    """Return the median volume of the 20 sessions before at the same minute of the session; NaN for fewer than 5.

    Of day bars: of the 20 days before. The first and last minutes of a session trade 5 to 20 times the others.
    """
    before = volume[max(0, place - _HABIT) : place]
    if bars.minute[-1] > 0 or bars.minute[0] > 0:
        same = np.flatnonzero(bars.minute[:place] == bars.minute[place])[-_HABIT:]
        before = volume[same]
    return float(np.median(before)) if len(before) >= 5 else float("nan")


def crash_votes(bars: Bars, volume: Floats, place: int) -> list[Vote]:
    """Return a vote that a move is true where it was traded five times as much as usual.

    Args:
        bars: the series.
        volume: theirs on one share basis; zeros where volume means nothing.
        place: of the bar in doubt.
    """
    usual = usual_volume(bars, volume, place)
    if not usual > 0 or volume[place] < CRASH_VOLUMES * usual:
        return []
    return [Vote("volume", Says.TRUE, {"times_usual": float(volume[place] / usual)})]
