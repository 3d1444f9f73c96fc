"""Directional movement: how far highs and lows move, and which way."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.extremes import highestbars, lowestbars
from chandlery.indicators.moving_averages import rma
from chandlery.indicators.operators import absolute, div, eq, gt, logical_and, where
from chandlery.indicators.oscillators import change
from chandlery.indicators.ranges import tr
from chandlery.indicators.series import FloatSeries, as_series, check_length, shifted
from chandlery.indicators.totals import total

Pair = tuple[FloatSeries, FloatSeries]


def dmi(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14, smoothing: int = 14
) -> tuple[FloatSeries, FloatSeries, FloatSeries]:
    """Directional movement +DI, -DI and their average spread ADX, 0 to 100; warm-up `length`, ADX `smoothing - 1` more.

    A move counts for one side only, and only if it exceeds the other and 0 by more than 1e-10. The true range of
    bar 0 does not count. NaN where the range averages 0, as it does from the start of a stretch without any.
    Source: Pine's `ta.dmi`, after Wilder (1978).

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    up, down = change(high), -change(low)
    # A product with the change keeps the na of the first bar, which the averages must not count.
    rises = where(logical_and(gt(up, down), gt(up, 0.0)), up, up * 0.0)
    falls = where(logical_and(gt(down, up), gt(down, 0.0)), down, down * 0.0)
    span = rma(tr(high, low, close), length)
    plus, minus = div(100.0 * rma(rises, length), span), div(100.0 * rma(falls, length), span)
    both = plus + minus
    index = 100.0 * rma(div(absolute(plus - minus), where(eq(both, 0.0), 1.0, both)), smoothing)
    return plus, minus, index


def aroon(high: ArrayLike, low: ArrayLike, length: int = 14) -> Pair:
    """Aroon up and down: how recent the highest and the lowest of `length + 1` bars are, 0 to 100; warm-up `length`.

    Of equal extremes the oldest counts; NaN as in `highestbars`. Source: TradingView's built-in Aroon, after
    Chande (1995).

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    bars = check_length(length)
    up, down = highestbars(high, bars + 1), lowestbars(low, bars + 1)
    return 100.0 * (up + bars) / bars, 100.0 * (down + bars) / bars


def vortex(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Pair:
    """Vortex +VI and -VI: moves from low to high and from high to low, in true ranges; warm-up `length`.

    NaN where the window holds no range. Source: TradingView's built-in Vortex Indicator, after Botes and Siepman
    (2010).

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    highs, lows = as_series(high), as_series(low)
    span = total(tr(highs, lows, close), length)
    upward, downward = np.abs(highs - shifted(lows, 1)), np.abs(lows - shifted(highs, 1))
    return div(total(upward, length), span), div(total(downward, length), span)
