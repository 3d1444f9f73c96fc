"""The stationary bootstrap: resampling that keeps the dependence of neighbouring bars.

Sources: Politis, Romano, The Stationary Bootstrap, 1994; Politis, White, Automatic Block-Length Selection for the
Dependent Bootstrap, 2004, with the correction of Patton, Politis, White, 2009.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.errors import InvalidInput
from chandlery.optimize.blocks import Matrix

_INDICES_AT_ONCE = 2_000_000


def stationary_counts(rows: int, *, samples: int, block_length: float, seed: int) -> Matrix:
    """Return how often each row is drawn in every resample, float64 `[samples, rows]`; each sums to `rows`.

    A resample walks through the rows in order, wraps at the end, and jumps to a random row with probability
    `1 / block_length`. All that a test of means asks of a resample is these counts.

    Raises:
        InvalidInput: for no row or sample, or a block length below 1.
    """
    if rows < 1 or samples < 1 or not 1.0 <= block_length < math.inf:
        raise InvalidInput(
            f"{samples} samples of {rows} rows in blocks of {block_length}; at least 1 of each is needed."
        )
    random, counts = np.random.default_rng(seed), np.empty((samples, rows))
    at_once = max(1, _INDICES_AT_ONCE // rows)
    for first in range(0, samples, at_once):
        part = counts[first : first + at_once]
        drawn = _stationary_rows(random, part.shape[0], rows, block_length)
        drawn += rows * np.arange(part.shape[0])[:, None]
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    return counts


def _stationary_rows(random: np.random.Generator, samples: int, rows: int, block_length: float) -> NDArray[np.int64]:
    position = np.arange(rows)
    jumps = random.random((samples, rows)) < 1.0 / block_length
    jumps[:, 0] = True
    starts = random.integers(0, rows, (samples, rows))
    jumped_at = np.maximum.accumulate(np.where(jumps, position, 0), axis=1)
    drawn: NDArray[np.int64] = (np.take_along_axis(starts, jumped_at, axis=1) + position - jumped_at) % rows
    return drawn


def optimal_block_length(returns: ArrayLike) -> float:
    """Return the mean block length of the stationary bootstrap with the least error for the variance of a mean.

    `returns` is `[T]`, or `[T, K]`, which gives the mean over the columns that vary. The bandwidth is twice the
    first lag from which 5 autocorrelations in a row stay within `2 sqrt(log10 T / T)`, as in the code of Patton,
    Politis and White; the answer lies within 1 and `min(3 sqrt T, T/3)`. 1 for fewer than 9 returns.

    Raises:
        InvalidInput: for another shape, or a return that is not finite.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim not in {1, 2} or not np.isfinite(values).all():
        raise InvalidInput(f"Returns were of shape {values.shape}; [T] or [T, K] of finite numbers is needed.")
    columns = values.reshape(values.shape[0], -1)
    centred = columns - columns.mean(axis=0) if columns.size else columns
    centred = centred[:, np.square(centred).sum(axis=0) > 1e-24 * np.square(columns).sum(axis=0)]
    if columns.shape[0] < 9 or not centred.shape[1]:
        return 1.0
    return float(np.mean([_column_length(column) for column in centred.T]))


def _column_length(centred: NDArray[np.float64]) -> float:
    size = centred.size
    in_a_row = max(5, int(math.log10(size)))
    longest = min(math.ceil(math.sqrt(size)) + in_a_row, size - 2)
    covariance = np.array([centred[lag:] @ centred[: size - lag] for lag in range(longest + 1)])
    # Each autocorrelation is scaled by the returns it multiplies, less the one at the edge.
    squares = np.concatenate(([0.0], np.cumsum(centred * centred)))
    lags = np.arange(1, longest + 2)
    scale = np.sqrt((squares[-1] - squares[lags]) * squares[size - lags])
    small = np.abs(covariance) < 2.0 * math.sqrt(math.log10(size) / size) * scale
    runs = np.flatnonzero(np.convolve(small[:longest], np.ones(in_a_row), mode="valid") > in_a_row - 0.5)
    bandwidth = min(2 * max(int(runs[0]), 1), longest) if runs.size else longest
    lag = np.arange(1, bandwidth + 1)
    window = np.where(2 * lag <= bandwidth, 1.0, 2.0 * (1.0 - lag / bandwidth)) * covariance[1 : bandwidth + 1] / size
    spectrum = covariance[0] / size + 2.0 * window.sum()
    most = float(math.ceil(min(3.0 * math.sqrt(size), size / 3.0)))
    if spectrum == 0.0:
        return most
    length = float(np.cbrt((2.0 * (window * lag).sum() / spectrum) ** 2 * size))
    return min(max(length, 1.0), most)
