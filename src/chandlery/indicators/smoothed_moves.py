"""Oscillators made of exponential averages: differences and rates of smoothed series."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.moving_averages import ema
from chandlery.indicators.operators import div
from chandlery.indicators.oscillators import change
from chandlery.indicators.series import FloatSeries, shifted


def macd(
    values: ArrayLike, fast: int = 12, slow: int = 26, smoothing: int = 9
) -> tuple[FloatSeries, FloatSeries, FloatSeries]:
    """Moving average convergence divergence: line, signal, histogram.

    The line is `ema(fast) - ema(slow)`, the signal its `ema` from its first value on, the histogram their
    difference; in units of the values. Warm-up `max(fast, slow) - 1`, and `smoothing - 1` more for the other two.
    On a NaN the answer is NaN and the averages keep their state. Source: Pine's `ta.macd`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    line = ema(values, fast) - ema(values, slow)
    smooth = ema(line, smoothing)
    return line, smooth, line - smooth


def ppo(values: ArrayLike, fast: int = 12, slow: int = 26) -> FloatSeries:
    """Percentage price oscillator: the line of `macd` in percent of the slow average; warm-up of the slower one.

    NaN on a NaN and where the slow average is 0. Source: TA-Lib's `PPO` with exponential averages.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    base = ema(values, slow)
    return div(100.0 * (ema(values, fast) - base), base)


def tsi(values: ArrayLike, short: int = 13, long: int = 25) -> FloatSeries:
    """True strength index, -1 to 1: moves smoothed twice over their magnitudes smoothed twice.

    Smoothed by `long`, then by `short`. Warm-up `long + short - 1`. NaN on a NaN, whose moves the averages leave
    out, and where nothing has moved. Source: Pine's `ta.tsi`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    move = change(values)
    return div(ema(ema(move, long), short), ema(ema(np.abs(move), long), short))


def trix(values: ArrayLike, length: int = 15) -> FloatSeries:
    """Rate of change of a triple `ema`, in hundredths of a percent; warm-up `3 (length - 1) + 1`.

    NaN on a NaN and where the average before was 0. Source: TA-Lib's `TRIX`, which is in percent.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    smooth = ema(ema(ema(values, length), length), length)
    return div(10_000.0 * change(smooth), shifted(smooth, 1))
