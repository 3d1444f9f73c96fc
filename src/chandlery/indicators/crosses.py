"""Crosses of two series; `crossover` and `crossunder` are exact, without tolerance."""

import math

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.operators import TOLERANCE
from chandlery.indicators.series import BoolSeries, FloatSeries, as_series
from chandlery.indicators.spec import PAIR, one_bar, signal


def crossover(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Whether `first` is above `second` now and was not on the last bar where both were defined.

    A number stands for a constant series. False on the first bar where both are defined and on every bar
    where one is NaN. Warm-up 1 beyond that of the operands.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    left, right = _pair(first, second)
    both = np.flatnonzero(~(np.isnan(left) | np.isnan(right)))
    above = left[both] > right[both]
    out = np.zeros(left.size, dtype=np.bool_)
    out[both[1:]] = above[1:] & ~above[:-1]
    return out


def crossunder(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Whether `first` is below `second` now and was not on the last bar where both were defined.

    Everything else as `crossover`.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    return crossover(second, first)


def cross(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Whether `first` leaves the side of `second` it was last on; warm-up 1 beyond that of the operands.

    It was on a side where it differed by more than 1e-10; that it leaves it is exact. So a touch without passing
    is no cross, while `crossover` counts the way up from it. A NaN changes nothing. Source: Pine's `ta.cross`.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    left, right = _pair(first, second)
    apart = left - right
    out, side = np.zeros(apart.size, dtype=np.bool_), 0.0
    for i, distance in enumerate(apart.tolist()):
        out[i] = side * distance < 0.0
        if abs(distance) > TOLERANCE:
            side = math.copysign(1.0, distance)
    return out


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[FloatSeries, FloatSeries]:
    left, right = np.broadcast_arrays(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    return as_series(left), as_series(right)


SPECS = [
    signal("crossover", PAIR, crossover, "ta.crossover({0}, {1})", warmup=one_bar),
    signal("cross", PAIR, cross, "ta.cross({0}, {1})", warmup=one_bar),
    signal("crossunder", PAIR, crossunder, "ta.crossunder({0}, {1})", warmup=one_bar),
]
"""The operations of this module."""
