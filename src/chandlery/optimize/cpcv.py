"""Combinatorial purged cross-validation: many histories out of sample instead of one.

Source: Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 12.
"""

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.errors import InvalidInput
from chandlery.optimize.blocks import BlockReturns, as_blocks
from chandlery.optimize.evidence import Cpcv
from chandlery.optimize.walk_forward import best_column, sharpe_or_none


def cpcv(
    returns: ArrayLike | BlockReturns,
    *,
    groups: int = 8,
    tested: int = 2,
    blocks: int = 64,
    embargo: int = 1,
) -> Cpcv:
    """Cross-validate the choice of the best Sharpe ratio over every `tested` of `groups` spans of blocks.

    `returns` is a matrix of bar returns `[T, K]` or block returns. Block `b` of B belongs to group
    `b * groups // B`. Each split chooses (ties: the lowest column) on the blocks outside its test groups, less
    `embargo` blocks before and after each of them, since a position may reach across the edge. A group is tested in
    several splits; path `j` takes its j-th: `tested / groups * C(groups, tested)` paths, each over all bars.

    Raises:
        InvalidInput: for groups that are empty, tested groups not within 1 and `groups - 1`, or a split without any
            block to choose on.
    """
    cut = as_blocks(returns, blocks=blocks)
    if not 1 <= tested < groups <= cut.blocks or embargo < 0:
        raise InvalidInput(f"{tested} of {groups} groups over {cut.blocks} blocks, embargo {embargo}, is no split.")
    group_of = np.arange(cut.blocks) * groups // cut.blocks
    count = comb(groups - 1, tested - 1)
    paths, seen = np.zeros((count, 3)), [0] * groups
    splits = list(combinations(range(groups), tested))
    for split in splits:
        train = _train(group_of, split, embargo)
        if not train.any():
            raise InvalidInput(f"An embargo of {embargo} blocks leaves nothing to choose on; take fewer groups.")
        chosen = best_column(cut.sums[train].sum(axis=0), cut.squares[train].sum(axis=0))
        for group in split:
            rows = group_of == group
            paths[seen[group]] += [
                cut.sums[rows, chosen].sum(),
                cut.squares[rows, chosen].sum(),
                cut.bars[rows].sum(),
            ]
            seen[group] += 1
    ratios = [sharpe_or_none(*(float(value) for value in path)) for path in paths]
    known = [ratio for ratio in ratios if ratio is not None]
    return Cpcv(
        groups=groups,
        tested=tested,
        splits=len(splits),
        embargo=embargo,
        paths=tuple(ratios),
        median=float(np.median(known)) if known else None,
        share_below_zero=sum(ratio < 0.0 for ratio in known) / len(known) if known else None,
    )


def _train(group_of: NDArray[np.int64], split: tuple[int, ...], embargo: int) -> NDArray[np.bool_]:
    near = np.isin(group_of, split)
    for _ in range(embargo):
        near = near | np.append(near[1:], False) | np.append(False, near[:-1])
    return ~near
