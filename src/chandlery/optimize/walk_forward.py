"""Walk-forward: choose on past blocks, score on the next, as if the search had been repeated while trading.

Source: Pardo, The Evaluation and Optimization of Trading Strategies, 2008. Candidates run warm through every edge:
the figures are those of switching between runs that never stopped, without the costs of the switch.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.optimize.blocks import BlockReturns, Matrix, as_blocks, sharpe_ratios, standing
from chandlery.optimize.evidence import Fold, WalkForward

Scheme = Literal["rolling", "anchored"]

BLOCKS = 64
FOLDS = 12


def walk_forward(
    returns: ArrayLike | BlockReturns,
    *,
    scheme: Scheme = "rolling",
    blocks: int = BLOCKS,
    train: int | None = None,
    test: int | None = None,
    embargo: int = 1,
) -> WalkForward:
    """Walk forward over bar returns `[T, K]` or block returns, all spans counted in blocks.

    Each fold chooses the best Sharpe ratio (ties: the lowest column) over `train` blocks (`anchored`: over all
    blocks from the first on, at least `train`), leaves `embargo` blocks out, scores the next `test`; folds follow
    each other without overlap of the tests. Default: 12 folds over the last three quarters. `number` of a fold is a
    column, `params` are empty.

    Raises:
        InvalidInput: for spans that leave no fold, or returns that do not fill the blocks.
    """
    cut = as_blocks(returns, blocks=blocks)
    tested = test if test is not None else max(1, cut.blocks * 3 // 4 // FOLDS)
    trained = train if train is not None else cut.blocks - FOLDS * tested - embargo
    if min(trained, tested) < 1 or embargo < 0 or trained + embargo + tested > cut.blocks:
        raise InvalidInput(
            f"{trained} blocks of training, {embargo} of embargo and {tested} of test do not fit {cut.blocks} blocks."
        )
    sums, squares, bars = (_running(part) for part in (cut.sums, cut.squares, cut.bars[:, None]))
    folds, out = [], np.zeros(3)
    for start in range(trained + embargo, cut.blocks - tested + 1, tested):
        first, end = start - embargo - trained if scheme == "rolling" else 0, start - embargo
        number = best_column(sums[end] - sums[first], squares[end] - squares[first])
        inner = [float(part[end, number] - part[first, number]) for part in (sums, squares)]
        outer = [float(part[start + tested, number] - part[start, number]) for part in (sums, squares)]
        held = float(bars[start + tested, 0] - bars[start, 0])
        out += (*outer, held)
        folds.append(
            Fold(
                train_first=first,
                train_end=end,
                test_first=start,
                test_end=start + tested,
                number=number,
                params={},
                train_sharpe=sharpe_or_none(inner[0], inner[1], float(bars[end, 0] - bars[first, 0])),
                test_sharpe=sharpe_or_none(outer[0], outer[1], held),
            )
        )
    return _stitched(scheme, folds, out)


def best_column(sums: Matrix, squares: Matrix) -> int:
    """Return the column with the best Sharpe ratio; ties to the lowest."""
    return int(standing(sums, squares).argmax())


def sharpe_or_none(total: float, square: float, bars: float) -> float | None:
    """Return the Sharpe ratio of returns with these sums, None without variance."""
    ratio = float(sharpe_ratios(np.array([total]), np.array([square]), bars)[0])
    return ratio if np.isfinite(ratio) else None


def _running(part: Matrix) -> Matrix:
    return np.concatenate((np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)))


def _stitched(scheme: str, folds: list[Fold], out: Matrix) -> WalkForward:
    total, square, bars = (float(value) for value in out)
    sharpe = sharpe_or_none(total, square, bars)
    inner = [fold.train_sharpe for fold in folds if fold.train_sharpe is not None]
    expected = float(np.mean(inner)) if inner else 0.0
    return WalkForward(
        scheme=scheme,
        folds=tuple(folds),
        sharpe=sharpe,
        mean_return=total / bars if bars > 0.0 else None,
        efficiency=sharpe / expected if sharpe is not None and expected > 0.0 else None,
    )
