"""Bands around an average, and their widths."""

from numpy.typing import ArrayLike

from chandlery.indicators.dispersion import stdev
from chandlery.indicators.moving_averages import ema, sma
from chandlery.indicators.operators import div
from chandlery.indicators.ranges import tr
from chandlery.indicators.series import FloatSeries, as_series

Bands = tuple[FloatSeries, FloatSeries, FloatSeries]
"""Middle, upper, lower."""


def bb(values: ArrayLike, length: int = 20, factor: float = 2.0) -> Bands:
    """Bollinger bands: the mean, and `factor` biased standard deviations above and below it.

    In units of the values. Warm-up `length - 1`; a window that holds a NaN answers NaN. Source: Pine's `ta.bb`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    middle, reach = sma(values, length), factor * stdev(values, length)
    return middle, middle + reach, middle - reach


def bbw(values: ArrayLike, length: int = 20, factor: float = 2.0) -> FloatSeries:
    """Width of the Bollinger bands, percent of the middle; NaN where the middle is 0. Source: Pine's `ta.bbw`.

    Everything else as `bb`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    middle, upper, lower = bb(values, length, factor)
    return div(upper - lower, middle) * 100.0


def kc(values: ArrayLike, bars: tuple[ArrayLike, ArrayLike, ArrayLike], length: int = 20, factor: float = 2.0) -> Bands:
    """Keltner channel: the `ema`, and `factor` times the `ema` of the true range above and below it.

    `bars` are highs, lows and closes. In units of the price. Warm-up `length - 1` for the middle, `length` for the
    others, since bar 0 has no true range. On a NaN the answer is NaN and the averages keep their state. Source:
    Pine's `ta.kc`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    high, low, close = (as_series(part) for part in bars)
    middle, reach = ema(values, length), factor * ema(tr(high, low, close), length)
    return middle, middle + reach, middle - reach


def kcw(
    values: ArrayLike, bars: tuple[ArrayLike, ArrayLike, ArrayLike], length: int = 20, factor: float = 2.0
) -> FloatSeries:
    """Width of the Keltner channel as a fraction of the middle; NaN where the middle is 0. Source: Pine's `ta.kcw`.

    Everything else as `kc`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    middle, upper, lower = kc(values, bars, length, factor)
    return div(upper - lower, middle)
