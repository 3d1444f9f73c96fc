"""Changes and oscillators of one series."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.moving_averages import rma
from chandlery.indicators.operators import TOLERANCE
from chandlery.indicators.series import FloatSeries, as_series, check_length, shifted
from chandlery.indicators.spec import SERIES_AND_LENGTH, lag, numeric


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


SPECS = [
    numeric("rsi", SERIES_AND_LENGTH, rsi, "ta.rsi({0}, {1})", warmup=lag),
    numeric("change", SERIES_AND_LENGTH, change, "ta.change({0}, {1})", warmup=lag),
]
"""The operations of this module."""
