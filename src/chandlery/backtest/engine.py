"""The engine: candidates in, metrics out. Loads the compiled machine at its first use."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.backtest.compiler import compile_strategy
from chandlery.backtest.execution import Execution, Mode
from chandlery.backtest.machine import Wanted, run_machine
from chandlery.backtest.metrics import METRICS, KernelMetrics
from chandlery.backtest.panel import Panel
from chandlery.backtest.program import Program
from chandlery.strategies import Sides, Strategy, checked_rows

DECISIONS = ("go_long", "leave_long", "go_short", "leave_short")
"""Rows of `Evaluations.signals`."""


_lately: deque[tuple[Strategy, Sides | None, Program]] = deque(maxlen=8)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluations:
    """Outcome of many candidates.

    `metrics` float64 `[candidates, 8]` in the order of `METRICS`. `moments` float64 `[candidates, 64, 4]`: sums of
    r, r^2, r^3, r^4 of the bar returns per block, None unless asked for. `signals` bool `[candidates, 4, bars]`:
    what was decided at each close, in the order of `DECISIONS`, false on a side that is not traded; None unless
    asked for.
    """

    metrics: NDArray[np.float64]
    moments: NDArray[np.float64] | None
    signals: NDArray[np.bool_] | None

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one metric of all candidates."""
        return self.metrics[:, METRICS.index(name)]

    def row(self, index: int) -> KernelMetrics:
        """Return all metrics of one candidate."""
        return KernelMetrics.from_row(self.metrics[index])


def evaluate_many(
    strategy: Strategy,
    param_matrix: ArrayLike,
    panel: Panel,
    execution: Execution,
    *,
    keep_moments: bool = False,
    keep_signals: bool = False,
    threads: int | None = None,
) -> Evaluations:
    """Evaluate candidates under the conventions of `execution` (see `run_backtest`).

    `param_matrix` is `[candidates, parameters]` in the order of `strategy.param_names`. A candidate whose warm-up
    exceeds the panel simply never trades.
    `threads` limits the threads (default: numba's setting); the answer does not depend on it, bit by bit. The
    first call in a process loads the machine, whose compiled code is kept on disk. Safe to call from several
    threads: calls queue.

    Raises:
        BadParameters: for a matrix of another shape or a candidate outside ranges and constraints.
        ResearchError: if a length computed from parameters falls below 1.
    """
    rows = checked_rows(strategy, param_matrix)
    is_plain = strategy.is_plain and execution.sides is Sides.LONG and execution.mode is Mode.SIMPLE
    program = _compiled(strategy, None if is_plain else execution.sides)
    wanted = Wanted(moments=keep_moments, signals=keep_signals)
    outcome = run_machine(program, rows, panel, execution, wanted=wanted, threads=threads)
    signals = _decisions(outcome.signals) if keep_signals else None
    return Evaluations(outcome.metrics, outcome.moments if keep_moments else None, signals)


def _compiled(strategy: Strategy, sides: Sides | None) -> Program:
    """Return the program of a strategy, the same as lately for the very same definition.

    Compiling takes 1 to 5 ms (stoch_rsi, 2026-11), as long as a batch of 40 candidates on daily bars.
    """
    for known in tuple(_lately):
        if known[0] is strategy and known[1] is sides:
            return known[2]
    program = compile_strategy(strategy, sides)
    _lately.appendleft((strategy, sides, program))
    return program


def _decisions(signals: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return what was kept as the four decisions; of entry and closing the entry wins."""
    if signals.shape[1] == len(DECISIONS):
        decided: NDArray[np.bool_] = signals != 0.0
        return decided
    kept = np.zeros((signals.shape[0], len(DECISIONS), signals.shape[2]), dtype=np.bool_)
    kept[:, 0] = signals[:, 0] != 0.0
    kept[:, 1] = (signals[:, 1] != 0.0) & ~kept[:, 0]
    return kept
