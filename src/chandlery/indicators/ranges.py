"""True range and its average."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.moving_averages import rma
from chandlery.indicators.series import FloatSeries, as_series, shifted
from chandlery.indicators.spec import BAR, Role, no_bars, numeric, one_bar


def tr(high: ArrayLike, low: ArrayLike, close: ArrayLike, *, handle_na: bool = False) -> FloatSeries:
    """True range: the largest of high - low, |high - previous close|, |low - previous close|.

    Where the previous close is NaN (bar 0) the answer is NaN, or high - low with `handle_na`. Warm-up 1, or 0
    with `handle_na`.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    top, bottom, before = as_series(high), as_series(low), shifted(as_series(close), 1)
    spread = top - bottom
    full = np.maximum(spread, np.maximum(np.abs(top - before), np.abs(bottom - before)))
    return np.where(np.isnan(before), spread, full) if handle_na else full


def filled_tr(high: ArrayLike, low: ArrayLike, close: ArrayLike) -> FloatSeries:
    """True range that answers high - low on bar 0: `tr(..., handle_na=True)`; warm-up 0."""
    return tr(high, low, close, handle_na=True)


def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> FloatSeries:
    """Average true range: `rma` of the true range, whose bar 0 is high - low; warm-up `length - 1`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    return rma(filled_tr(high, low, close), length)


SPECS = [
    numeric("tr", BAR, tr, "ta.tr(false)", warmup=one_bar),
    numeric("filled_tr", BAR, filled_tr, "ta.tr(true)", warmup=no_bars),
    numeric("atr", (*BAR, Role.LENGTH), atr, "ta.atr({3})"),
]
"""The operations of this module."""
