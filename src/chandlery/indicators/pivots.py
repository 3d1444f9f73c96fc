"""Pivots: turning points, known once the bars to their right have closed."""

from numpy.typing import ArrayLike

from chandlery.indicators.series import FloatSeries
from chandlery.indicators.spec import Role, both_sides, numeric

_SIDES = (Role.SERIES, Role.LENGTH, Role.LENGTH)


def pivothigh(values: ArrayLike, left: int, right: int) -> FloatSeries:
    raise NotImplementedError


def pivotlow(values: ArrayLike, left: int, right: int) -> FloatSeries:
    raise NotImplementedError


SPECS = [
    numeric("pivothigh", _SIDES, pivothigh, "ta.pivothigh({0}, {1}, {2})", warmup=both_sides),
    numeric("pivotlow", _SIDES, pivotlow, "ta.pivotlow({0}, {1}, {2})", warmup=both_sides),
]
"""The operations of this module."""
