"""The engine of several symbols: candidates in, metrics out. Loads the compiled machine at its first use."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.backtest.engine import Evaluations
from chandlery.backtest.execution import Execution, Mode
from chandlery.backtest.machine import one_at_a_time
from chandlery.backtest.metrics import BLOCKS, METRICS
from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.rotation_plan import Plan, pair_plan, pair_signals, rotation_plan
from chandlery.backtest.symbol_values import Numbers, SymbolValues
from chandlery.errors import InvalidInput, ResearchError
from chandlery.strategies import Int, Pair, Portfolio, Rotation, checked_rows

_TOGETHER = 256
"""Candidates whose plans are in memory at once."""


def evaluate_portfolios(
    portfolio: Portfolio,
    param_matrix: ArrayLike,
    panel: MultiPanel,
    execution: Execution,
    *,
    keep_moments: bool = False,
    threads: int | None = None,
) -> Evaluations:
    """Evaluate candidates of a strategy over several symbols (see `run_portfolio`).

    `param_matrix` is `[candidates, parameters]` in the order of `portfolio.param_names`. Expressions are computed
    by the functions of `chandlery.indicators`, once per symbol and parameter values they use, so a matrix in which
    the first parameters vary slowest is fastest; accounts are simulated by the compiled machine. `threads` limits
    the threads (default: numba's setting); the answer does not depend on it, bit by bit.

    Raises:
        BadParameters: for a matrix of another shape or a candidate outside ranges and constraints.
        InvalidInput: for a panel that lacks the symbols, or a length computed from parameters below 1.
        ResearchError: for Pine mode, which knows one symbol.
    """
    rows = checked_rows(portfolio, param_matrix)
    check_fit(portfolio, panel, execution)
    values = SymbolValues(panel, portfolio.expressions)
    metrics = np.empty((rows.shape[0], len(METRICS)))
    moments = np.empty((rows.shape[0] if keep_moments else 0, BLOCKS, 4))
    for first in range(0, rows.shape[0], _TOGETHER):
        part = slice(first, first + _TOGETHER)
        numbers = [numbers_of(portfolio, row) for row in rows[part]]
        plans = plans_of(portfolio, numbers, panel, values)
        simulate_plans(plans, panel, execution, metrics[part], moments[part], threads=threads)
    return Evaluations(metrics, moments if keep_moments else None, None)


def check_fit(portfolio: Portfolio, panel: MultiPanel, execution: Execution) -> None:
    """Refuse a panel without the symbols a strategy needs, and Pine mode.

    Raises:
        InvalidInput: saying how many symbols it takes.
        ResearchError: for Pine mode.
    """
    given, least = len(panel.symbols), portfolio.least_symbols
    if given < least or (isinstance(portfolio, Pair) and given != least):
        raise InvalidInput(
            f"{portfolio.name} takes {least} symbols, the panel has {given}: {', '.join(panel.symbols)}."
        )
    if execution.mode is not Mode.SIMPLE:
        raise ResearchError(f"{portfolio.name} trades several symbols, which Pine cannot; use simple mode.")


def numbers_of(portfolio: Portfolio, row: NDArray[np.float64]) -> dict[str, float | int]:
    """Return one candidate by name, whole numbers as int."""
    named = zip(portfolio.params.items(), row.tolist(), strict=True)
    return {name: int(value) if isinstance(parameter, Int) else value for (name, parameter), value in named}


def plans_of(
    portfolio: Portfolio, candidates: Sequence[Numbers], panel: MultiPanel, values: SymbolValues
) -> list[Plan]:
    """Return the plan of every candidate."""
    if isinstance(portfolio, Rotation):
        return [rotation_plan(portfolio, numbers, panel, values) for numbers in candidates]
    signals = np.stack([pair_signals(portfolio, numbers, values) for numbers in candidates])
    sides = np.empty((len(candidates), panel.bars), dtype=np.int8)
    with one_at_a_time:
        from chandlery.backtest import rotation_machine  # noqa: PLC0415 - loads numba

        rotation_machine.run_sides(signals, sides)
    chosen = zip(candidates, sides, strict=True)
    return [pair_plan(side, values.of_clock("hedge", numbers), panel) for numbers, side in chosen]


def simulate_plans(
    plans: Sequence[Plan],
    panel: MultiPanel,
    execution: Execution,
    metrics: NDArray[np.float64],
    moments: NDArray[np.float64],
    *,
    threads: int | None = None,
    curves: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> None:
    """Fill `metrics` and, unless it is empty, `moments` for every plan; `curves` for a single one."""
    starts = np.cumsum([0, *(plan.bars.size for plan in plans)])
    bars, weights = np.concatenate([plan.bars for plan in plans]), np.concatenate([plan.weights for plan in plans])
    opens, marks = (np.ascontiguousarray(rows.T) for rows in (panel.field("open"), panel.marks()))
    with one_at_a_time:
        from chandlery.backtest import jit, rotation_machine  # noqa: PLC0415 - loads numba

        before = jit.get_threads()
        slices = max(1, min(threads or before, jit.thread_limit(), len(plans)))
        memory = (np.empty((slices, 7)), np.empty((slices, 4, len(panel.symbols))))
        blocks = moments if moments.shape[0] else np.empty((slices, BLOCKS, 4))
        kept = curves or (np.empty((3, 0)), np.empty((0, 5)))
        jit.set_threads(slices)
        try:
            rotation_machine.run_plans(
                (opens, marks),
                (starts, bars, weights),
                (execution.costs.fee, execution.costs.taken),
                memory,
                (metrics, blocks, kept),
            )
        finally:
            jit.set_threads(before)
