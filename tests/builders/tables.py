"""Builders of search tables for the evidence: every point of a small lattice, evaluated."""

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import Execution, Panel, evaluate_many
from chandlery.optimize import Space
from chandlery.optimize.batches import Table
from chandlery.optimize.objective import scores


def table_of(
    space: Space,
    panel: Panel,
    execution: Execution,
    numbers: NDArray[np.int64],
    *,
    objectives: tuple[str, ...] = ("bar_sharpe",),
) -> Table:
    """Return the table of a search that evaluated these lattice points."""
    found = evaluate_many(space.strategy, space.rows(numbers), panel, execution, keep_moments=True)
    assert found.moments is not None
    return Table(
        numbers=numbers,
        params=space.rows(numbers),
        scores=scores(found.metrics, objectives),
        metrics=found.metrics,
        moments=found.moments,
        states=np.zeros(numbers.size, dtype=np.uint8),
        reasons={},
    )
