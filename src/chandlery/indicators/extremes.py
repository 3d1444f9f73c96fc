"""Extremes of a window, and runs of rises and falls.

Extremes are exact, without tolerance. A NaN restarts the window: the bars after it look back to it and no further,
as Pine does, so an extreme of an indicator answers from the first bar of that indicator on.
"""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.operators import TOLERANCE
from chandlery.indicators.series import BoolSeries, FloatSeries, as_series, check_length, run_lengths, shifted
from chandlery.indicators.spec import SERIES_AND_LENGTH, lag, signal, windowed


def highest(values: ArrayLike, length: int) -> FloatSeries:
    """Highest of the last `length` values, this bar's included; warm-up `length - 1`.

    NaN on a NaN; after one the window holds the values since. Source: Pine's `ta.highest`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series = as_series(values)
    offsets = offsets_of_highest(series, check_length(length))
    known = np.flatnonzero(~np.isnan(offsets))
    out = np.full(series.size, np.nan)
    out[known] = series[known + offsets[known].astype(np.int64)]
    return out


def lowest(values: ArrayLike, length: int) -> FloatSeries:
    """Lowest of the last `length` values, this bar's included; warm-up `length - 1`.

    NaN as in `highest`. Source: Pine's `ta.lowest`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return -highest(-as_series(values), length)


def highestbars(values: ArrayLike, length: int) -> FloatSeries:
    """Offset in bars, 0 or negative, of the highest of the last `length` values; warm-up `length - 1`.

    Of equal values the oldest counts. 0 on a NaN; after one the window holds the values since. Source: Pine's
    `ta.highestbars`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return offsets_of_highest(as_series(values), check_length(length))


def lowestbars(values: ArrayLike, length: int) -> FloatSeries:
    """Offset in bars, 0 or negative, of the lowest of the last `length` values; warm-up `length - 1`.

    Everything else as `highestbars`. Source: Pine's `ta.lowestbars`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return highestbars(-as_series(values), length)


def offsets_of_highest(series: FloatSeries, length: int, *, newest: bool = False) -> FloatSeries:
    """Return the offsets of `highestbars`; of equal values the oldest counts, or the newest."""
    out = np.full(series.size, np.nan)
    if series.size < length:
        return out
    windows = np.lib.stride_tricks.sliding_window_view(series, length)
    out[length - 1 :] = -windows[:, ::-1].argmax(axis=1) if newest else windows.argmax(axis=1) - (length - 1)
    runs = run_lengths(~np.isnan(series))
    for i in np.flatnonzero(runs < length).tolist():
        if i >= length - 1:
            since = series[i - runs[i] + 1 : i + 1][::-1]
            tied = np.flatnonzero(since == since.max()) if since.size else [0]
            out[i] = -float(tied[0] if newest else tied[-1])
    return out + 0.0


def rising(values: ArrayLike, length: int) -> BoolSeries:
    """Whether each of the last `length` bars rose above the bar before it; warm-up `length`.

    A rise of at most 1e-10 is none. A NaN starts the count anew. Source: Pine's `ta.rising`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series = as_series(values)
    return run_lengths(series - shifted(series, 1) > TOLERANCE) >= check_length(length)


def falling(values: ArrayLike, length: int) -> BoolSeries:
    """Whether each of the last `length` bars fell below the bar before it; warm-up `length`.

    Everything else as `rising`. Source: Pine's `ta.falling`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return rising(-as_series(values), length)


SPECS = [
    windowed("highest", SERIES_AND_LENGTH, highest, "ta.highest({0}, {1})"),
    windowed("lowest", SERIES_AND_LENGTH, lowest, "ta.lowest({0}, {1})"),
    windowed("highestbars", SERIES_AND_LENGTH, highestbars, "ta.highestbars({0}, {1})"),
    windowed("lowestbars", SERIES_AND_LENGTH, lowestbars, "ta.lowestbars({0}, {1})"),
    signal("rising", SERIES_AND_LENGTH, rising, "ta.rising({0}, {1})", warmup=lag),
    signal("falling", SERIES_AND_LENGTH, falling, "ta.falling({0}, {1})", warmup=lag),
]
"""The operations of this module."""
