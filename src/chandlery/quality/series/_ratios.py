"""Ratios that a market does not make by itself: of share splits, and of units."""

import math
from fractions import Fraction

import numpy as np

from chandlery.quality.series._arrays import Floats, Places

_FORWARD = (
    *(Fraction(text) for text in ("5/4", "4/3", "3/2", "5/3", "2", "5/2", "3", "7/2", "4", "5", "6", "7", "8", "10")),
    *(Fraction(text) for text in ("12", "15", "20", "25", "30", "40", "50")),
)
SPLIT_RATIOS = tuple(sorted({ratio for forward in _FORWARD for ratio in (forward, 1 / forward)}))
"""New shares per old, both ways. Below 5:4 a split is lost in the noise of prices; 100 is a change of unit first."""
LEAST_SPLIT = math.log(Fraction(5, 4))
"""The smallest of them, as a logarithm."""
UNITS = (100, 1000)
"""Pence and pounds, agorot and shekels; fils and dinars."""

_LOGS = np.array([math.log(ratio) for ratio in SPLIT_RATIOS])


def nearest_splits(fell: Floats) -> tuple[Places, Floats]:
    """Return, for log falls of price, the place of the nearest of `SPLIT_RATIOS` and the distance from it."""
    right = np.clip(np.searchsorted(_LOGS, fell), 1, len(_LOGS) - 1)
    place = np.where(fell - _LOGS[right - 1] <= _LOGS[right] - fell, right - 1, right)
    return place.astype(np.intp), np.abs(fell - _LOGS[place])


def unit_of(step: float, tolerance: float) -> int:
    """Return the unit (100 or 1000, negative for their inverse) that a log step is within `tolerance`, else 0."""
    for unit in UNITS:
        if math.log(1 - tolerance) <= abs(step) - math.log(unit) <= math.log(1 + tolerance):
            return unit if step > 0 else -unit
    return 0
