"""Extremes of a window; exact, without tolerance."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.series import FloatSeries, as_series, check_length


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
