"""What counts as a series and as a length."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.errors import InvalidInput

FloatSeries = NDArray[np.float64]
BoolSeries = NDArray[np.bool_]


def as_series(values: ArrayLike) -> FloatSeries:
    """Return `values` as a one-dimensional float64 array (a view where possible).

    Raises:
        InvalidInput: for another number of dimensions.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise InvalidInput(f"A series has one dimension, shape was {series.shape}; pass one symbol at a time.")
    return series


def check_length(length: int) -> int:
    """Return `length` as an int.

    Raises:
        InvalidInput: if it is no whole number or below 1.
    """
    whole = int(length)
    if whole != length or whole < 1:
        raise InvalidInput(f"Length was {length}; it is a whole number of bars, at least 1.")
    return whole


def as_finite(values: ArrayLike) -> FloatSeries:
    """Return `values` as a series in which what is infinite is NaN, for arithmetic without warnings.

    Raises:
        InvalidInput: for another number of dimensions.
    """
    series = as_series(values)
    return np.where(np.isfinite(series), series, np.nan)


def shifted(values: FloatSeries, bars: int) -> FloatSeries:
    """Return the series `bars` bars ago; NaN before there is one."""
    out = np.full(values.size, np.nan)
    if bars < values.size:
        out[bars:] = values[: values.size - bars]
    return out


def run_lengths(defined: BoolSeries) -> NDArray[np.int64]:
    """Return, per bar, how many consecutive bars up to and including it are defined."""
    position = np.arange(1, defined.size + 1)
    return position - np.maximum.accumulate(np.where(defined, 0, position))
