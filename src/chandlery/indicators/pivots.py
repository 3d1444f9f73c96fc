"""Pivots: turning points, known once the bars to their right have closed."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.extremes import offsets_of_highest
from chandlery.indicators.series import FloatSeries, as_series, check_length, shifted
from chandlery.indicators.spec import Role, both_sides, windowed

_SIDES = (Role.SERIES, Role.LENGTH, Role.LENGTH)


def pivothigh(values: ArrayLike, left: int, right: int) -> FloatSeries:
    """The value `right` bars ago if it is a high, else NaN; warm-up `left + right`.

    A high is above the `right` values after it and not below the `left` values before it: of equal values the
    newest counts. NaN on a NaN; after one only the values since count. Source: Pine's `ta.pivothigh`, which reads
    left-over values after a NaN between values.

    Raises:
        InvalidInput: for a side below 1 or a two-dimensional input.
    """
    series, left, right = as_series(values), check_length(left), check_length(right)
    found = offsets_of_highest(series, left + right + 1, newest=True) == -right
    return np.where(found, shifted(series, right), np.nan)


def pivotlow(values: ArrayLike, left: int, right: int) -> FloatSeries:
    """The value `right` bars ago if it is a low, else NaN; warm-up `left + right`.

    Everything else as `pivothigh`. Source: Pine's `ta.pivotlow`.

    Raises:
        InvalidInput: for a side below 1 or a two-dimensional input.
    """
    return -pivothigh(-as_series(values), left, right)


SPECS = [
    windowed("pivothigh", _SIDES, pivothigh, "ta.pivothigh({0}, {1}, {2})", warmup=both_sides),
    windowed("pivotlow", _SIDES, pivotlow, "ta.pivotlow({0}, {1}, {2})", warmup=both_sides),
]
"""The operations of this module."""
