"""Probability of backtest overfitting by combinatorially symmetric cross-validation.

Source: Bailey, Borwein, Lopez de Prado, Zhu, The Probability of Backtest Overfitting, 2017.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.errors import InvalidInput
from chandlery.optimize.blocks import BlockReturns, Matrix, Row, as_blocks, sharpe_ratios, standing

MOST_CANDIDATES = 10_000
"""More are thinned: see `pbo`."""

_MOST_BLOCKS = 20
_VALUES_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PboResult:
    """What the splits say; arrays are by split, in lexicographic order of the blocks in sample.

    `pbo`: share of splits whose best in sample lands in the lower half out of sample. `slope`: of the Sharpe ratio
    out of sample on that in sample (least squares), None where the latter does not vary. `loss`: share of splits
    whose best loses out of sample. `logits` float64, `chosen` int64 (column of `returns`), `in_sample` and
    `out_of_sample` float64 (Sharpe ratios per bar of the chosen, NaN without variance). `candidates`: how many
    were compared.
    """

    pbo: float
    slope: float | None
    loss: float
    logits: Row
    chosen: NDArray[np.int64]
    in_sample: Row
    out_of_sample: Row
    candidates: int

    @property
    def splits(self) -> int:
        """Number of splits."""
        return int(self.logits.size)


def pbo(returns: ArrayLike | BlockReturns, *, blocks: int = 16) -> PboResult:
    """Probability of backtest overfitting of a search over K candidates.

    `returns` is a matrix of bar returns `[T, K]`, or block returns, which are merged to `blocks`. In every choice of
    half of the blocks the candidate with the best Sharpe ratio (ties: the lowest column) is ranked on the other
    half: `r` candidates are not above it, `w = r / (K + 1)`, `logit = ln(w / (1 - w))`; `pbo` is the share of logits
    at or below 0. A candidate never invested in a half has ratio 0 there. Of more than 10,000 candidates every m-th
    by overall Sharpe ratio is compared, from the best down: keeping only the top would select those whose halves
    make up for each other. Noise gives about one half.

    Raises:
        InvalidInput: for fewer than 2 candidates, blocks that are odd or not 2 to 20, or returns that do not fill
            them.
    """
    if blocks % 2 or not 2 <= blocks <= _MOST_BLOCKS:
        raise InvalidInput(f"blocks was {blocks}; it is an even number from 2 to {_MOST_BLOCKS}.")
    cut = as_blocks(returns, blocks=blocks)
    if cut.candidates < 2 or cut.blocks != blocks:
        raise InvalidInput(f"{cut.candidates} candidates in {cut.blocks} blocks; 2 or more in {blocks} are needed.")
    kept = _thinned(cut)
    chosen, ranks, inner, outer = _all_splits(cut.of(kept) if kept.size < cut.candidates else cut)
    share = ranks / (kept.size + 1.0)
    logits = np.log(share / (1.0 - share))
    return PboResult(
        pbo=float(np.mean(logits <= 0.0)),
        slope=_slope(inner, outer),
        loss=float(np.mean(outer < 0.0)),
        logits=logits,
        chosen=kept[chosen],
        in_sample=inner,
        out_of_sample=outer,
        candidates=int(kept.size),
    )


def _thinned(cut: BlockReturns) -> NDArray[np.int64]:
    if cut.candidates <= MOST_CANDIDATES:
        return np.arange(cut.candidates)
    order = np.argsort(-standing(cut.sums.sum(axis=0), cut.squares.sum(axis=0)), kind="stable")
    picked: NDArray[np.int64] = np.sort(order[np.arange(MOST_CANDIDATES) * cut.candidates // MOST_CANDIDATES])
    return picked


def _all_splits(cut: BlockReturns) -> tuple[NDArray[np.int64], Row, Row, Row]:
    """Return chosen candidate, rank and both Sharpe ratios of every split.

    A split and its mirror image share their halves, so each pair is computed once; the mirror of split `i` is the
    i-th from the end. Sums of a half come from tables of the subsets of the early and the late blocks: two
    additions whatever the number of blocks, and equal candidates stay equal to the last bit, so that ties are ties.
    """
    half = cut.blocks // 2
    full = (1 << half) - 1
    masks = (1 << np.array(list(combinations(range(cut.blocks), half)))).sum(axis=1)
    last, tables = masks.size - 1, _tables(cut, half)
    chosen, ranks = np.empty(masks.size, dtype=np.int64), np.empty(masks.size)
    # Of the chosen: sum and sum of squares, in sample and out of sample.
    kept = np.empty((4, masks.size))
    at_once = max(1, _VALUES_AT_ONCE // cut.candidates)
    for start in range(0, masks.size // 2, at_once):
        at = np.arange(start, min(start + at_once, masks.size // 2))
        first = _halves(tables, masks[at] & full, masks[at] >> half)
        second = _halves(tables, ~masks[at] & full, ~masks[at] >> half & full)
        for positions, inner, outer in ((at, first, second), (last - at, second, first)):
            best = inner[2].argmax(axis=1)
            own = (np.arange(at.size), best)
            chosen[positions] = best
            ranks[positions] = np.count_nonzero(outer[2] <= outer[2][own][:, None], axis=1)
            kept[:, positions] = inner[0][own], inner[1][own], outer[0][own], outer[1][own]
    bars = (masks[:, None] >> np.arange(cut.blocks) & 1) @ cut.bars
    inside, outside = sharpe_ratios(kept[0], kept[1], bars), sharpe_ratios(kept[2], kept[3], bars[::-1])
    return chosen, ranks, inside, outside


def _tables(cut: BlockReturns, half: int) -> list[Matrix]:
    """Return the sums, then the sums of squares, of all subsets of the early and of the late blocks."""
    return [_subset_sums(part[span]) for part in (cut.sums, cut.squares) for span in (slice(half), slice(half, None))]


def _subset_sums(rows: Matrix) -> Matrix:
    """Return the sums of all subsets of rows `[2^rows, K]`, a subset numbered by its bits."""
    table = np.zeros((1 << rows.shape[0], rows.shape[1]))
    for position, row in enumerate(rows):
        np.add(table[: 1 << position], row, out=table[1 << position : 2 << position])
    return table


def _halves(tables: list[Matrix], early: NDArray[np.int64], late: NDArray[np.int64]) -> tuple[Matrix, Matrix, Matrix]:
    """Return sums, sums of squares and standing of all candidates over some halves, each `[halves, K]`."""
    sums, squares = tables[0][early], tables[2][early]
    sums += tables[1][late]
    squares += tables[3][late]
    return sums, squares, standing(sums, squares)


def _slope(inner: Row, outer: Row) -> float | None:
    both = np.isfinite(inner) & np.isfinite(outer)
    centred = inner[both] - inner[both].mean() if both.any() else np.empty(0)
    spread = float(centred @ centred)
    return float(centred @ outer[both]) / spread if spread > 0.0 else None
