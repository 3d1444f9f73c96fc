"""Moving averages."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.series import FloatSeries, as_series, check_length, run_lengths
from chandlery.indicators.spec import SERIES_AND_LENGTH, Role, lag, numeric


def sma(values: ArrayLike, length: int) -> FloatSeries:
    """Simple moving average; warm-up `length - 1`.

    A window that holds a NaN answers NaN and the average recovers once the NaN has left it. Window sums are
    differences of running sums kept with their rounding errors (two-sum), so they stay within a few units in
    the last place of the exact sum however long the series is, and a flat stretch has an exactly flat average.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_series(values), check_length(length)
    defined = np.isfinite(series)
    addend = np.where(defined, series, 0.0)
    total = np.cumsum(addend)
    before = np.concatenate(([0.0], total[:-1]))[: series.size]
    part = total - before
    error = np.cumsum((before - (total - part)) + (addend - part))
    window = total + error
    window[length:] = (total[length:] - total[:-length]) + (error[length:] - error[:-length])
    return np.where(run_lengths(defined) >= length, window / length, np.nan)


def ema(values: ArrayLike, length: int) -> FloatSeries:
    """Exponential moving average, `prev + a (x - prev)` with `a = 2 / (length + 1)`; warm-up `length - 1`.

    The seed is the mean of the first `length` defined values. On a NaN the answer is NaN and the state is kept.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    length = check_length(length)
    weight = 2.0 / (length + 1)
    return _recursive(as_series(values), length, lambda state, x: state + weight * (x - state))


def rma(values: ArrayLike, length: int) -> FloatSeries:
    """Wilder's moving average, `(prev (length - 1) + x) / length`; warm-up `length - 1`.

    Seed and NaN as in `ema`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    length = check_length(length)
    return _recursive(as_series(values), length, lambda state, x: (state * (length - 1) + x) / length)


def _recursive(series: FloatSeries, length: int, step: Callable[[float, float], float]) -> FloatSeries:
    out = np.full(series.size, np.nan)
    defined = np.flatnonzero(np.isfinite(series))
    if defined.size < length:
        return out
    seed = sma(series[defined[:length]], length)[-1]
    state = float(seed)
    out[defined[length - 1]] = state
    for index in defined[length:].tolist():
        state = step(state, float(series[index]))
        out[index] = state
    return out


def wma(values: ArrayLike, length: int) -> FloatSeries:
    raise NotImplementedError


def alma(values: ArrayLike, length: int, offset: float = 0.85, sigma: float = 6.0) -> FloatSeries:
    raise NotImplementedError


def kama(values: ArrayLike, length: int = 10, fast: int = 2, slow: int = 30) -> FloatSeries:
    raise NotImplementedError


def linreg(values: ArrayLike, length: int, offset: int = 0) -> FloatSeries:
    raise NotImplementedError


SPECS = [
    numeric("sma", SERIES_AND_LENGTH, sma, "ta.sma({0}, {1})"),
    numeric("ema", SERIES_AND_LENGTH, ema, "ta.ema({0}, {1})"),
    numeric("rma", SERIES_AND_LENGTH, rma, "ta.rma({0}, {1})"),
    numeric("wma", SERIES_AND_LENGTH, wma, "ta.wma({0}, {1})"),
    numeric("alma", (*SERIES_AND_LENGTH, Role.NUMBER, Role.NUMBER), alma, "ta.alma({0}, {1}, {2}, {3})"),
    numeric("kama", (*SERIES_AND_LENGTH, Role.LENGTH, Role.LENGTH), kama, "kama({0}, {1}, {2}, {3})", warmup=lag),
    numeric("linreg", (*SERIES_AND_LENGTH, Role.COUNT), linreg, "ta.linreg({0}, {1}, {2})"),
]
"""The operations of this module."""
