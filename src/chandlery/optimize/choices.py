"""The choices of a study, side by side: best in sample, best plateau, what a walk-forward would hold, the front."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from chandlery.optimize.batches import Table
from chandlery.optimize.blocks import BlockReturns
from chandlery.optimize.evidence import Choice
from chandlery.optimize.objective import best_of
from chandlery.optimize.pareto import pareto_front
from chandlery.optimize.plateau import Score, best_plateau, plateaus
from chandlery.optimize.space import Space
from chandlery.optimize.walk_forward import FOLDS, best_column, sharpe_or_none


def choices_of(
    space: Space, table: Table, cut: BlockReturns, rows: NDArray[np.int64], *, evaluate: Score | None
) -> tuple[Choice, ...]:
    """Return `in_sample`, `plateau` if there is one, `walk_forward`, and the front of several objectives.

    `rows` are the ranked positions in `table`, `cut` their block returns. The walk-forward choice is the one a
    rolling walk-forward would make at the end of the panel: the best Sharpe ratio over its last training span.
    """
    scores = np.full(table.size, -np.inf)
    scores[rows] = table.scores[rows, 0]
    best = int(rows[best_of(scores[rows], table.numbers[rows])])
    found = plateaus(space, table.numbers, scores, evaluate=evaluate)
    widest = best_plateau(found, scores)
    chosen = [_choice(space, table, "in_sample", best, found[best].detail if best in found else {})]
    if widest is not None:
        chosen.append(_choice(space, table, "plateau", widest, found[widest].detail))
    chosen.append(_last_trained(space, table, cut, rows))
    if table.scores.shape[1] > 1:
        front = rows[pareto_front(table.scores[rows], table.numbers[rows])].tolist()
        chosen += [_choice(space, table, "pareto", row, {}, rank=rank) for rank, row in enumerate(front)]
    return tuple(chosen)


def _last_trained(space: Space, table: Table, cut: BlockReturns, rows: NDArray[np.int64]) -> Choice:
    span = max(1, cut.blocks - FOLDS * max(1, cut.blocks * 3 // 4 // FOLDS) - 1)
    sums, squares = cut.sums[-span:].sum(axis=0), cut.squares[-span:].sum(axis=0)
    column = best_column(sums, squares)
    ratio = sharpe_or_none(float(sums[column]), float(squares[column]), float(cut.bars[-span:].sum()))
    return _choice(space, table, "walk_forward", int(rows[column]), {"train_sharpe": ratio})


def _choice(
    space: Space, table: Table, kind: str, row: int, detail: Mapping[str, float | None], *, rank: int = 0
) -> Choice:
    number = int(table.numbers[row])
    scores = tuple(float(score) if np.isfinite(score) else None for score in table.scores[row])
    return Choice(kind=kind, rank=rank, number=number, params=space.values_at(number), scores=scores, detail=detail)
