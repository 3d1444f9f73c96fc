"""Extremes of a window; exact, without tolerance."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.series import BoolSeries, FloatSeries, as_series, check_length
from chandlery.indicators.spec import SERIES_AND_LENGTH, lag, numeric, signal


def highest(values: ArrayLike, length: int) -> FloatSeries:
    """Highest of the last `length` values, this bar's included; warm-up `length - 1`.

    A window that holds a NaN answers NaN.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_series(values), check_length(length)
    out = np.full(series.size, np.nan)
    if series.size >= length:
        out[length - 1 :] = np.lib.stride_tricks.sliding_window_view(series, length).max(axis=1)
    return out


def lowest(values: ArrayLike, length: int) -> FloatSeries:
    """Lowest of the last `length` values, this bar's included; warm-up `length - 1`.

    A window that holds a NaN answers NaN.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return -highest(-as_series(values), length)


def highestbars(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def lowestbars(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def rising(values: ArrayLike, length: int) -> BoolSeries:
    raise NotImplementedError


def falling(values: ArrayLike, length: int) -> BoolSeries:
    raise NotImplementedError


SPECS = [
    numeric("highest", SERIES_AND_LENGTH, highest, "ta.highest({0}, {1})"),
    numeric("lowest", SERIES_AND_LENGTH, lowest, "ta.lowest({0}, {1})"),
    numeric("highestbars", SERIES_AND_LENGTH, highestbars, "ta.highestbars({0}, {1})"),
    numeric("lowestbars", SERIES_AND_LENGTH, lowestbars, "ta.lowestbars({0}, {1})"),
    signal("rising", SERIES_AND_LENGTH, rising, "ta.rising({0}, {1})", warmup=lag),
    signal("falling", SERIES_AND_LENGTH, falling, "ta.falling({0}, {1})", warmup=lag),
]
"""The operations of this module."""
