"""Totals: sums over a window, since the first bar, or since the last reset."""

from numpy.typing import ArrayLike

from chandlery.indicators.series import FloatSeries
from chandlery.indicators.spec import SERIES_AND_LENGTH, Role, no_bars, numeric


def total(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def cum(values: ArrayLike) -> FloatSeries:
    raise NotImplementedError


def cum_since(values: ArrayLike, reset: ArrayLike) -> FloatSeries:
    raise NotImplementedError


SPECS = [
    numeric("sum", SERIES_AND_LENGTH, total, "math.sum({0}, {1})"),
    numeric("cum", (Role.SERIES,), cum, "ta.cum({0})", warmup=no_bars),
    numeric("cum_since", (Role.SERIES, Role.CONDITION), cum_since, "cum_since({0}, {1})", warmup=no_bars),
]
"""The operations of this module."""
