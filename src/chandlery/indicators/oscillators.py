"""Changes, and oscillators of plain sums and windows."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.dispersion import dev
from chandlery.indicators.extremes import highest, lowest
from chandlery.indicators.moving_averages import rma, sma
from chandlery.indicators.operators import TOLERANCE, div, eq, ge, gt, lt, where
from chandlery.indicators.series import FloatSeries, as_series, check_length, shifted
from chandlery.indicators.spec import SERIES_AND_LENGTH, lag, numeric
from chandlery.indicators.totals import total


def change(values: ArrayLike, length: int = 1) -> FloatSeries:
    """Difference to `length` bars ago; warm-up `length`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series = as_series(values)
    return series - shifted(series, check_length(length))


def rsi(values: ArrayLike, length: int = 14) -> FloatSeries:
    """Relative strength index, 0 to 100, over Wilder averages of gains and losses; warm-up `length`.

    A side of at most 1e-10 counts as zero: zero loss, tested first, answers 100, zero gain 0. On a NaN
    difference the answer is NaN and the averages keep their state.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    move = change(values)
    gain = rma(np.maximum(move, 0.0), length)
    loss = rma(np.maximum(-move, 0.0), length)
    with np.errstate(divide="ignore", invalid="ignore"):
        index = 100.0 - 100.0 / (1.0 + gain / loss)
    index = np.where(gain <= TOLERANCE, 0.0, index)
    index = np.where(loss <= TOLERANCE, 100.0, index)
    return np.where(np.isnan(gain), np.nan, index)


def mom(values: ArrayLike, length: int = 10) -> FloatSeries:
    """Momentum: the difference to `length` bars ago, in units of the values; warm-up `length`.

    NaN where either value is. Source: Pine's `ta.mom`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return change(values, length)


def roc(values: ArrayLike, length: int = 9) -> FloatSeries:
    """Rate of change over `length` bars, percent; warm-up `length`.

    NaN where either value is, or where the earlier one is 0. Source: Pine's `ta.roc`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return div(100.0 * change(values, length), shifted(as_series(values), check_length(length)))


def stoch(values: ArrayLike, upper: ArrayLike, lower: ArrayLike, length: int = 14) -> FloatSeries:
    """Place of the value between the lowest `lower` and the highest `upper` of the last `length` bars, percent.

    Not clamped: a value outside the range answers below 0 or above 100. Warm-up `length - 1`. NaN where a window
    holds a NaN or has no range. Source: Pine's `ta.stoch`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    bottom = lowest(lower, length)
    return div(100.0 * (as_series(values) - bottom), highest(upper, length) - bottom)


def wpr(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> FloatSeries:
    """Williams' percent range, -100 to 0: the place of the close below the highest high; warm-up `length - 1`.

    NaN where a window holds a NaN or has no range. Source: Pine's `ta.wpr`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    top = highest(high, length)
    return div(100.0 * (as_series(close) - top), top - lowest(low, length))


def cci(values: ArrayLike, length: int = 20) -> FloatSeries:
    """Commodity channel index: the distance from the mean in units of 0.015 mean absolute deviations.

    Warm-up `length - 1`. NaN where a window holds a NaN or has no deviation. Source: Pine's `ta.cci`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series = as_series(values)
    return div(series - sma(series, length), 0.015 * dev(series, length))


def cmo(values: ArrayLike, length: int = 9) -> FloatSeries:
    """Chande's momentum oscillator, -100 to 100: gains less losses over gains plus losses, plain sums.

    A move is a loss if it falls by more than 1e-10. Warm-up `length`. NaN where a window holds a NaN or no move.
    Source: Pine's `ta.cmo`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    move = change(values)
    is_gain = ge(move, 0.0)
    gains = total(where(is_gain, move, move * 0.0), length)
    losses = total(where(is_gain, move * 0.0, -move), length)
    return div(100.0 * (gains - losses), gains + losses)


def mfi(values: ArrayLike, volume: ArrayLike, length: int = 14) -> FloatSeries:
    """Money flow index, 0 to 100: the share of the flow `x v` on bars that rose by more than 1e-10.

    Bars that moved less than that in either direction count on neither side; no outflow, tested first, answers
    100. Warm-up `length`: unlike Pine's `ta.mfi`, which counts bar 0 on both sides and answers one bar earlier,
    equal from then on. NaN where a window holds a NaN.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, move = as_series(values), change(values)
    flow = series * as_series(volume)
    inflow = total(where(gt(move, 0.0), flow, move * 0.0), length)
    outflow = total(where(lt(move, 0.0), flow, move * 0.0), length)
    return where(eq(outflow, 0.0), 100.0, 100.0 - div(100.0, 1.0 + div(inflow, outflow)))


SPECS = [
    numeric("rsi", SERIES_AND_LENGTH, rsi, "ta.rsi({0}, {1})", warmup=lag),
    numeric("change", SERIES_AND_LENGTH, change, "ta.change({0}, {1})", warmup=lag),
]
"""The operations of this module."""
