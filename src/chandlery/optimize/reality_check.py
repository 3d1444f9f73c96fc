"""Tests of the whole search: does any candidate beat the benchmark once all that were tried are accounted for?

Sources: White, A Reality Check for Data Snooping, 2000; Hansen, A Test for Superior Predictive Ability, 2005.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.optimize.blocks import BlockReturns, Matrix, Row
from chandlery.optimize.bootstrap import optimal_block_length, stationary_counts

SAMPLES = 1_000

_VALUES_AT_ONCE = 2_000_000
"""Large parts: BLAS threads that wait for each other cost more than a cache that is missed."""
_COLUMNS_FOR_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RealityCheck:
    """`statistic`: largest `sqrt(T) m_k`, m the mean excess; `p`: share of resamples at or above it."""

    statistic: float
    p: float
    samples: int
    block_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spa:
    """`statistic`: largest studentised mean excess, at least 0; three p-values by what counts as a contender.

    `consistent` is the one to report; `lower` and `upper` bound it.
    """

    statistic: float
    lower: float
    consistent: float
    upper: float
    samples: int
    block_length: float


def reality_check(
    excess: ArrayLike | BlockReturns, *, samples: int = SAMPLES, seed: int, block_length: float | None = None
) -> RealityCheck:
    """White's reality check of returns in excess of a benchmark, `[T, K]` per bar or by block.

    Share of stationary bootstrap samples with `max_k sqrt(T) (m*_k - m_k) >= max_k sqrt(T) m_k`. Rows (bars or
    blocks) are drawn for all candidates together, so their dependence stays. `block_length` counts rows; None
    chooses it (see `optimal_block_length`).

    Raises:
        InvalidInput: for a matrix of another shape, a number that is not finite, or no sample.
    """
    return both_tests(_by_row(excess), samples=samples, seed=seed, block_length=block_length)[0]


def spa(
    excess: ArrayLike | BlockReturns, *, samples: int = SAMPLES, seed: int, block_length: float | None = None
) -> Spa:
    """Hansen's test for superior predictive ability of returns in excess of a benchmark; arguments as above.

    Means are studentised by their bootstrap standard deviation (ddof 1). A resampled mean is centred at `m_k` for
    all candidates (upper), for those with `sqrt(T) m_k / sd_k >= -sqrt(2 ln ln T)` (consistent), or at
    `max(m_k, 0)` (lower). A candidate equal to the benchmark throughout does not count.

    Raises:
        InvalidInput: as `reality_check`.
    """
    return both_tests(_by_row(excess), samples=samples, seed=seed, block_length=block_length)[1]


def both_tests(
    excess: BlockReturns, *, samples: int = SAMPLES, seed: int, block_length: float | None = None
) -> tuple[RealityCheck, Spa]:
    """Return both tests from the same resamples of block returns; their squares are not looked at."""
    length = _length(excess) if block_length is None else block_length
    counts = stationary_counts(excess.blocks, samples=samples, block_length=length, seed=seed)
    plain, studentised = maxima(excess, counts)
    check = RealityCheck(
        statistic=float(plain[0]), p=float(np.mean(plain[1:] >= plain[0])), samples=samples, block_length=length
    )
    lower, consistent, upper = (float(np.mean(row[1:] >= row[0])) for row in studentised)
    found = Spa(
        statistic=float(studentised[0, 0]),
        lower=lower,
        consistent=consistent,
        upper=upper,
        samples=samples,
        block_length=length,
    )
    return check, found


def maxima(cut: BlockReturns, counts: Matrix) -> tuple[Row, Matrix]:
    """Return the statistics (position 0) and their resampled maxima of both tests.

    `counts` `[samples, rows]`: how often each row is drawn. Returns float64 `[samples + 1]` for the reality check and
    `[3, samples + 1]` for the lower, consistent and upper test.
    """
    samples, total = counts.shape[0], float(cut.bars.sum())
    root, weights = math.sqrt(total), counts / np.maximum(counts @ cut.bars, 1.0)[:, None]
    threshold = -math.sqrt(2.0 * math.log(math.log(max(total, 3.0))))
    plain, studentised = np.full(samples + 1, -np.inf), np.zeros((3, samples + 1))
    for sums in _column_parts(cut.sums, samples):
        means = sums.sum(axis=0) / total
        around = weights @ sums
        around -= means
        plain[0] = max(plain[0], root * float(means.max()))
        np.maximum(plain[1:], root * around.max(axis=1), out=plain[1:])
        spread = _spread(around)
        # A column equal to the benchmark throughout varies by rounding only: it is no contender.
        varies = spread > 1e-12 * np.abs(sums).max(axis=0) / total
        scale = np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0)
        means, around = means * scale, np.multiply(around, scale, out=around)
        np.maximum(studentised[:, 0], means.max(), out=studentised[:, 0])
        for row, shift in zip(studentised, _shifts(means, threshold), strict=True):
            np.maximum(row[1:], (around + shift if shift.any() else around).max(axis=1), out=row[1:])
    return plain, studentised


def _spread(around: Matrix) -> Row:
    """Return standard deviations by column (ddof 1) of numbers close to 0."""
    samples = around.shape[0]
    squares = np.einsum("ij,ij->j", around, around) - around.sum(axis=0) ** 2 / samples
    spread: Row = np.sqrt(np.maximum(squares, 0.0) / max(samples - 1, 1))
    return spread


def _shifts(means: Row, threshold: float) -> tuple[Row, Row, Row]:
    """Return, by test, how far the centre of a resampled mean lies below 0: centred at `m` it does not."""
    return np.minimum(means, 0.0), np.where(means >= threshold, 0.0, means), np.zeros_like(means)


def _column_parts(sums: Matrix, samples: int) -> Iterator[Matrix]:
    at_once = max(1, _VALUES_AT_ONCE // samples)
    for first in range(0, sums.shape[1], at_once):
        yield sums[:, first : first + at_once]


def _by_row(excess: ArrayLike | BlockReturns) -> BlockReturns:
    if isinstance(excess, BlockReturns):
        return excess
    values = np.asarray(excess, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise InvalidInput(f"Excess returns were of shape {values.shape}; a matrix [T, K] is needed.")
    return BlockReturns.from_returns(values, blocks=values.shape[0])


def _length(cut: BlockReturns) -> float:
    """Return the automatic block length in rows, over at most 64 candidates evenly picked."""
    picked = np.unique(np.linspace(0, cut.candidates - 1, _COLUMNS_FOR_LENGTH).astype(np.int64))
    return optimal_block_length(cut.sums[:, picked] / np.maximum(cut.bars, 1.0)[:, None])
