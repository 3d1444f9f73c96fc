"""Totals: sums over a window, since the first bar, or since the last reset."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.indicators.series import FloatSeries, as_series, check_length
from chandlery.indicators.spec import SERIES_AND_LENGTH, Role, no_bars, numeric


def total(values: ArrayLike, length: int) -> FloatSeries:
    """Sum of the last `length` values, Pine's `math.sum`; warm-up `length - 1`.

    A NaN answers NaN and is left out, so that the window always holds `length` defined values. Window sums are
    differences of running sums kept with their rounding errors (two-sum), so they stay within a few units in
    the last place of the exact sum however long the series is.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    series, length = as_series(values), check_length(length)
    defined = np.isfinite(series)
    addend = series[defined]
    running = np.cumsum(addend)
    before = np.concatenate(([0.0], running[:-1]))[: addend.size]
    part = running - before
    error = np.cumsum((before - (running - part)) + (addend - part))
    window = running + error
    window[length:] = (running[length:] - running[:-length]) + (error[length:] - error[:-length])
    window[: length - 1] = np.nan
    out = np.full(series.size, np.nan)
    out[defined] = window
    return out


def cum(values: ArrayLike) -> FloatSeries:
    """Sum since the first bar, Pine's `ta.cum`; no warm-up.

    A NaN answers NaN and adds nothing.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    series = as_series(values)
    undefined = np.isnan(series)
    return np.where(undefined, np.nan, np.cumsum(np.where(undefined, 0.0, series)))


def cum_since(values: ArrayLike, reset: ArrayLike) -> FloatSeries:
    """Sum since the last bar on which `reset` held, that bar included, else since the first bar; no warm-up.

    A NaN adds nothing; the answer is defined on every bar.

    Raises:
        InvalidInput: for a two-dimensional input or a reset of another length.
    """
    series, resets = as_series(values), np.asarray(reset, dtype=np.bool_)
    if resets.shape != series.shape:
        raise InvalidInput(f"Reset was of shape {resets.shape}, the series of {series.shape}; pass one per bar.")
    addend = np.where(np.isnan(series), 0.0, series)
    parts = np.split(addend, np.flatnonzero(resets))
    return np.concatenate([np.cumsum(part) for part in parts])


SPECS = [
    numeric("sum", SERIES_AND_LENGTH, total, "math.sum({0}, {1})"),
    numeric("cum", (Role.SERIES,), cum, "ta.cum({0})", warmup=no_bars),
    numeric("cum_since", (Role.SERIES, Role.CONDITION), cum_since, "cum_since({0}, {1})", warmup=no_bars),
]
"""The operations of this module."""
