"""Dispersion: how far the values of a window lie apart, and where the last one ranks."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.indicators.moving_averages import sma
from chandlery.indicators.operators import TOLERANCE
from chandlery.indicators.series import FloatSeries, as_finite, as_series, check_length
from chandlery.indicators.spec import SERIES_AND_LENGTH, Role, lag, numeric, windowed
from chandlery.indicators.split_windows import Blocks, joined, split, sums


def variance(values: ArrayLike, length: int) -> FloatSeries:
    """Variance of the last `length` values, divided by `length` (biased); warm-up `length - 1`.

    A window that holds a NaN answers NaN; a flat window exactly 0. Where the spread is small beside the level,
    this is more exact than Pine's `sum(x^2) / n - mean^2`, which it equals otherwise.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_finite(values), check_length(length)
    windows = split(series, length)
    total = sums(windows.earlier, windows.later)
    squares = sums(windows.earlier * windows.earlier, windows.later * windows.later)
    return np.maximum(joined(_moment(squares, total, total, length), series.size), 0.0)


def stdev(values: ArrayLike, length: int) -> FloatSeries:
    """Standard deviation of the last `length` values, the root of `variance`; warm-up `length - 1`.

    In units of the values; NaN and flat windows as in `variance`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return np.sqrt(variance(values, length))


def dev(values: ArrayLike, length: int) -> FloatSeries:
    """Mean absolute deviation of the last `length` values from their mean; warm-up `length - 1`.

    In units of the values. A window that holds a NaN answers NaN.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_finite(values), check_length(length)
    mean = sma(series, length)
    out = np.full(series.size, np.nan)
    if series.size >= length:
        total = np.zeros(series.size - length + 1)
        for age in range(length):
            total += np.abs(series[length - 1 - age : series.size - age] - mean[length - 1 :])
        out[length - 1 :] = total / length
    return out


def percentrank(values: ArrayLike, length: int) -> FloatSeries:
    """Percentage of the `length` values before this one that are not above it, 0 to 100; warm-up `length`.

    Not above by more than 1e-10, Pine's tolerance. NaN on a NaN; one among the values before counts as above. So
    the rank of an indicator answers from bar `length` on, however long the indicator took, as in Pine.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_series(values), check_length(length)
    out = np.full(series.size, np.nan)
    if series.size > length:
        now, count = as_finite(series[length:]), np.zeros(series.size - length)
        for age in range(1, length + 1):
            count += series[length - age : series.size - age] - now <= TOLERANCE
        out[length:] = np.where(np.isnan(now), np.nan, 100.0 * count / length)
    return out


def correlation(first: ArrayLike, second: ArrayLike, length: int) -> FloatSeries:
    """Pearson correlation of the last `length` values, -1 to 1; warm-up `length - 1`.

    A covariance of at most 1e-10 (absolute, Pine's tolerance) answers 0, so a flat series and a length of 1 do
    too; NaN where a variance is 0 beside a larger covariance. A window that holds a NaN answers NaN.

    Raises:
        InvalidInput: for a length below 1, a two-dimensional input or series of different lengths.
    """
    left, right, length = as_finite(first), as_finite(second), check_length(length)
    if left.size != right.size:
        raise InvalidInput(f"Series had {left.size} and {right.size} bars; a correlation needs the same bars.")
    x, y = split(left, length), split(right, length)
    mean_x, mean_y = sums(x.earlier, x.later), sums(y.earlier, y.later)
    joint = _moment(sums(x.earlier * y.earlier, x.later * y.later), mean_x, mean_y, length)
    spread_x = _moment(sums(x.earlier * x.earlier, x.later * x.later), mean_x, mean_x, length)
    spread_y = _moment(sums(y.earlier * y.earlier, y.later * y.later), mean_y, mean_y, length)
    product = np.maximum(spread_x, 0.0) * np.maximum(spread_y, 0.0)
    root = np.sqrt(np.where(product == 0.0, np.nan, product))
    return joined(np.where(np.abs(joint) <= TOLERANCE, 0.0, joint / root), left.size)


def _moment(products: Blocks, first: Blocks, second: Blocks, length: int) -> Blocks:
    return (products - first * second / length) / length


SPECS = [
    numeric("variance", SERIES_AND_LENGTH, variance, "ta.variance({0}, {1})"),
    numeric("stdev", SERIES_AND_LENGTH, stdev, "ta.stdev({0}, {1})"),
    numeric("dev", SERIES_AND_LENGTH, dev, "ta.dev({0}, {1})"),
    windowed("percentrank", SERIES_AND_LENGTH, percentrank, "ta.percentrank({0}, {1})", warmup=lag),
    numeric("correlation", (Role.SERIES, *SERIES_AND_LENGTH), correlation, "ta.correlation({0}, {1}, {2})"),
]
"""The operations of this module."""
