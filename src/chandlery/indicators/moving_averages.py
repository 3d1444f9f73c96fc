"""Moving averages."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.indicators.series import FloatSeries, as_finite, as_series, check_length, shifted
from chandlery.indicators.spec import SERIES_AND_LENGTH, Role, lag, numeric
from chandlery.indicators.split_windows import joined, split, sums, weighted_sums
from chandlery.indicators.totals import total as window_total


def sma(values: ArrayLike, length: int) -> FloatSeries:
    """Simple moving average; warm-up `length - 1`.

    A NaN answers NaN and is left out of the windows. `total` says how the sums are kept; a flat stretch has an
    exactly flat average.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return window_total(values, length) / check_length(length)


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
    """Weighted moving average, weights 1 (oldest) to `length`; warm-up `length - 1`.

    A window that holds a NaN answers NaN. A flat window answers exactly its value.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_finite(values), check_length(length)
    windows = split(series, length)
    mean = weighted_sums(windows, length) / (length * (length + 1) / 2)
    return joined(windows.base + mean, series.size)


def alma(values: ArrayLike, length: int, offset: float = 0.85, sigma: float = 6.0) -> FloatSeries:
    """Arnaud Legoux's moving average: weights of a bell curve; warm-up `length - 1`.

    The curve has its top `offset` of the way from the oldest (0) to the newest value (1) and a standard deviation
    of `length / sigma` bars; weights sum to 1. A window that holds a NaN answers NaN.

    Raises:
        InvalidInput: for a length below 1, a sigma not above 0 or a two-dimensional input.
    """
    series, length = as_finite(values), check_length(length)
    if not sigma > 0.0:
        raise InvalidInput(f"Sigma was {sigma}; it is above 0, 6 by custom.")
    out = np.full(series.size, np.nan)
    if series.size >= length:
        first = series.size - length + 1
        out[length - 1 :] = 0.0
        for place, weight in enumerate(_bell(length, offset, sigma)):
            out[length - 1 :] += series[place : place + first] * weight
    return out


def _bell(length: int, offset: float, sigma: float) -> list[float]:
    top, spread = offset * (length - 1), length / sigma
    heights = [math.exp(-((i - top) * (i - top)) / (2.0 * (spread * spread))) for i in range(length)]
    # A plain loop: `sum` of Python 3.12 compensates, and the compiled version does not.
    total = 0.0
    for height in heights:
        total += height
    return [height / total for height in heights]


def kama(values: ArrayLike, length: int = 10, fast: int = 2, slow: int = 30) -> FloatSeries:
    """Kaufman's adaptive moving average, `prev + w (x - prev)`; warm-up `length`.

    `w` is the square of a number between `2 / (slow + 1)` and `2 / (fast + 1)`, in proportion to the efficiency:
    the move over `length` bars divided by the sum of the moves from bar to bar. Without any move it is 1. The
    first answer follows the value before it, as in TA-Lib (`KAMA`, whose fast and slow are 2 and 30). A NaN among
    the last `length + 1` values answers NaN and keeps the state.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_finite(values), check_length(length)
    quick, calm = 2.0 / (check_length(fast) + 1), 2.0 / (check_length(slow) + 1)
    moves = split(np.abs(series - shifted(series, 1)), length, is_based=False)
    path = joined(sums(moves.earlier, moves.later), series.size)
    reach = np.abs(series - shifted(series, length))
    efficiency = np.divide(reach, path, out=np.where(np.isnan(path), np.nan, 1.0), where=path > reach)
    root = efficiency * (quick - calm) + calm
    weights = root * root
    out = np.full(series.size, np.nan)
    state = math.nan
    for index in np.flatnonzero(np.isfinite(weights)).tolist():
        before = float(series[index - 1]) if math.isnan(state) else state
        state = before + float(weights[index]) * (float(series[index]) - before)
        out[index] = state
    return out


def linreg(values: ArrayLike, length: int, offset: int = 0) -> FloatSeries:
    """Value of the least-squares line through the last `length` values, `offset` bars ago; warm-up `length - 1`.

    A window that holds a NaN answers NaN. A flat window answers exactly its value; so does a length of 1.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_finite(values), check_length(length)
    if length == 1:
        return series
    windows = split(series, length)
    total, weighted = sums(windows.earlier, windows.later), weighted_sums(windows, length)
    slope = (length * weighted - (length * (length + 1) / 2) * total) / (length * length * (length * length - 1.0) / 12)
    return joined(windows.base + (total / length + slope * ((length - 1) / 2 - offset)), series.size)


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
