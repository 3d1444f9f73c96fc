"""Block returns: what every statistic of a whole search is computed from.

A block is a span of bars of which only the number of returns, their sum and their sum of squares are known. Sums of
blocks add up to those of any union of blocks, so a Sharpe ratio over any choice of blocks costs a few additions.
Positions run through the edges: the blocks cut one continuous run, they never start a strategy cold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.errors import InvalidInput
from chandlery.optimize.overfitting import ReturnShape

Row = NDArray[np.float64]
Matrix = NDArray[np.float64]

_NO_VARIANCE = 1e-12
"""A variance below this share of the mean square is what rounding leaves of equal returns."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockReturns:
    """Returns of K candidates by block, in the order of time.

    `sums`, `squares` float64 `[B, K]`: sum of r and of r^2. `bars` float64 `[B]`: returns per block.
    """

    sums: Matrix
    squares: Matrix
    bars: Row

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return int(self.bars.size)

    @property
    def candidates(self) -> int:
        """Number of candidates."""
        return int(self.sums.shape[1])

    @classmethod
    def from_returns(cls, returns: ArrayLike, *, blocks: int) -> "BlockReturns":
        """Return the blocks of bar returns `[T, K]`; bar `i` belongs to block `i * blocks // T`.

        Raises:
            InvalidInput: for another shape, a return that is not finite, or fewer bars than blocks.
        """
        values = np.asarray(returns, dtype=np.float64)
        if values.ndim != 2 or not values.shape[1] or not np.isfinite(values).all():
            raise InvalidInput(f"Returns were of shape {values.shape}; a matrix [T, K] of finite numbers is needed.")
        if not 1 <= blocks <= values.shape[0]:
            raise InvalidInput(f"{values.shape[0]} returns do not fill {blocks} blocks; take fewer blocks.")
        edges = -(-np.arange(blocks) * values.shape[0] // blocks)
        bars = np.diff(np.append(edges, values.shape[0])).astype(np.float64)
        return cls(np.add.reduceat(values, edges), np.add.reduceat(values * values, edges), bars)

    @classmethod
    def from_moments(cls, moments: ArrayLike, bars: ArrayLike) -> "BlockReturns":
        """Return the blocks of stored moments `[K, B, 2 or more]` (sums of r, r^2, ...) and returns per block `[B]`.

        Raises:
            InvalidInput: for shapes that do not fit, or a moment that is not finite.
        """
        values, counts = np.asarray(moments, dtype=np.float64), np.asarray(bars, dtype=np.float64)
        if values.ndim != 3 or values.shape[2] < 2 or counts.shape != values.shape[1:2]:
            raise InvalidInput(f"Moments were of shape {values.shape}, bars of {counts.shape}; [K, B, 4] and [B] fit.")
        sums, squares = (np.ascontiguousarray(values[:, :, power].T) for power in (0, 1))
        if not (np.isfinite(sums).all() and np.isfinite(squares).all()):
            raise InvalidInput("A moment is not finite; leave candidates out that could not be evaluated.")
        return cls(sums, squares, counts)

    def merged(self, blocks: int) -> "BlockReturns":
        """Return at most `blocks` blocks: block `b` of B goes to `b * blocks // B`."""
        if self.blocks <= blocks:
            return self
        edges = -(-np.arange(blocks) * self.blocks // blocks)
        return BlockReturns(*(np.add.reduceat(part, edges) for part in (self.sums, self.squares, self.bars)))

    def of(self, candidates: NDArray[np.int64]) -> "BlockReturns":
        """Return some candidates, in the order given."""
        return BlockReturns(self.sums[:, candidates], self.squares[:, candidates], self.bars)


def as_blocks(returns: "ArrayLike | BlockReturns", *, blocks: int) -> BlockReturns:
    """Return block returns as they are, at most `blocks`, and a plain matrix `[T, K]` cut into `blocks`."""
    if isinstance(returns, BlockReturns):
        return returns.merged(blocks)
    return BlockReturns.from_returns(returns, blocks=blocks)


def bars_per_block(bars: int, blocks: int) -> Row:
    """Return how many returns each block of a panel has; the first bar of a panel has none."""
    edges = -(-np.arange(blocks + 1) * bars // blocks)
    counts = np.diff(edges).astype(np.float64)
    counts[0] = max(0.0, counts[0] - 1.0)
    return counts


def sharpe_ratios(sums: Row, squares: Row, bars: ArrayLike) -> Row:
    """Return mean over standard deviation (ddof 1) of returns with these sums; NaN without variance."""
    count = np.maximum(np.asarray(bars, dtype=np.float64), 1.0)
    mean, mean_square = sums / count, squares / count
    variance = mean_square - mean * mean
    has_variance = (variance > _NO_VARIANCE * mean_square) & (count > 1.0)
    safe = np.where(has_variance, variance * count / np.maximum(count - 1.0, 1.0), 1.0)
    ratios: Row = np.where(has_variance, mean / np.sqrt(safe), np.nan)
    return ratios


def standing(sums: Row, squares: Row) -> Row:
    """Return a number that orders candidates over the same bars as their Sharpe ratios do, 0 for one never invested.

    `s |s| / q` grows with the ratio (which is `u / sqrt(1 - u^2/n)` up to a constant, `u = s / sqrt(q)`), needs no
    square root, and loses no digits to a difference.
    """
    ordered: Row = sums * np.abs(sums) / (squares + 1e-300)
    return ordered


def shape_of(moments: Matrix, bars: Row) -> ReturnShape | None:
    """Return the moments of one candidate from its block moments `[B, 4]`, None without variance."""
    count = float(bars.sum())
    if count < 3.0:
        return None
    first, second, third, fourth = (float(value) / count for value in moments.sum(axis=0))
    variance = second - first * first
    if variance <= _NO_VARIANCE * second or second <= 0.0:
        return None
    spread = variance**0.5
    return ReturnShape(
        sharpe=first / (variance * count / (count - 1.0)) ** 0.5,
        skew=(third - 3.0 * first * second + 2.0 * first**3) / spread**3,
        kurtosis=(fourth - 4.0 * first * third + 6.0 * first**2 * second - 3.0 * first**4) / spread**4,
        n=int(count),
    )
