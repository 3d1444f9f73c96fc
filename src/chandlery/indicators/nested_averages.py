"""Averages made of averages, and averages weighted with volume."""

import math

from numpy.typing import ArrayLike

from chandlery.indicators.moving_averages import ema, sma, wma
from chandlery.indicators.operators import div
from chandlery.indicators.series import FloatSeries, as_series, check_length, shifted


def hma(values: ArrayLike, length: int) -> FloatSeries:
    """Hull's moving average, `wma(2 wma(n // 2) - wma(n), floor(sqrt(n)))`.

    Warm-up `length - 1 + floor(sqrt(length)) - 1`. A NaN answers NaN until it has left all windows. Source: Pine's
    `ta.hma`.

    Raises:
        InvalidInput: for a length below 2 or a two-dimensional input.
    """
    length = check_length(length)
    return wma(2.0 * wma(values, length // 2) - wma(values, length), math.isqrt(length))


def dema(values: ArrayLike, length: int) -> FloatSeries:
    """Double exponential moving average, `2 e - ema(e)` with `e = ema(values)`; warm-up `2 (length - 1)`.

    On a NaN the answer is NaN and the states are kept. Source: Mulloy 1994, as TA-Lib's `DEMA`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    once = ema(values, length)
    return 2.0 * once - ema(once, length)


def tema(values: ArrayLike, length: int) -> FloatSeries:
    """Triple exponential moving average, `3 (e1 - e2) + e3`; warm-up `3 (length - 1)`.

    `e1` is the `ema` of the values, each further one the `ema` of the one before. On a NaN the answer is NaN and
    the states are kept. Source: Mulloy 1994, as TA-Lib's `TEMA`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    once = ema(values, length)
    twice = ema(once, length)
    return 3.0 * (once - twice) + ema(twice, length)


def vwma(values: ArrayLike, volume: ArrayLike, length: int) -> FloatSeries:
    """Volume-weighted moving average, `sma(x v) / sma(v)`; warm-up `length - 1`.

    NaN where a window holds a NaN or no volume. Source: Pine's `ta.vwma`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    shares = as_series(volume)
    return div(sma(as_series(values) * shares, length), sma(shares, length))


def swma(values: ArrayLike) -> FloatSeries:
    """Symmetrically weighted average of the last four values, weights 1 2 2 1 sixths; warm-up 3.

    NaN where one of the four is. Source: Pine's `ta.swma`.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    series = as_series(values)
    return (series + 2.0 * shifted(series, 1) + 2.0 * shifted(series, 2) + shifted(series, 3)) / 6.0
