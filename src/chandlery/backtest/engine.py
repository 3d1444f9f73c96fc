"""The engine: candidates in, metrics out. Loads the compiled machine at its first use."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.backtest.compiler import compile_strategy
from chandlery.backtest.metrics import BLOCKS, METRICS, KernelMetrics
from chandlery.backtest.panel import Panel
from chandlery.errors import BadParameters, InvalidInput
from chandlery.strategies import Strategy, allowed_rows

_one_at_a_time = threading.Lock()
"""numba's workqueue layer aborts the process when two threads start parallel work at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluations:
    """Outcome of many candidates.

    `metrics` float64 `[candidates, 8]` in the order of `METRICS`. `moments` float64 `[candidates, 64, 4]`: sums of
    r, r^2, r^3, r^4 of the bar returns per block, None unless asked for. `signals` bool `[candidates, 2, bars]`:
    entry and exit, None unless asked for.
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
    *,
    fee: float,
    slippage: float,
    keep_moments: bool = False,
    keep_signals: bool = False,
    threads: int | None = None,
) -> Evaluations:
    """Evaluate candidates in standard mode (see `run_backtest`).

    `param_matrix` is `[candidates, parameters]` in the order of `strategy.param_names`. `fee` and `slippage` are
    fractions of the fill price, 0.001 = 10 bps. A candidate whose warm-up exceeds the panel simply never trades.
    `threads` limits the threads (default: numba's setting); the answer does not depend on it, bit by bit. The
    first call in a process loads the machine, whose compiled code is kept on disk. Safe to call from several
    threads: calls queue.

    Raises:
        BadParameters: for a matrix of another shape or a candidate outside ranges and constraints.
        InvalidInput: for costs outside `[0, 1)`.
        ResearchError: if a length computed from parameters falls below 1.
    """
    rows = _checked_rows(strategy, param_matrix)
    check_costs(fee=fee, slippage=slippage)
    program = compile_strategy(strategy)
    numbers = program.values(rows)
    sources = np.stack([panel.source(name) for name in program.sources])
    trials, bars = rows.shape[0], panel.bars
    metrics = np.empty((trials, len(METRICS)))
    signals = np.empty((trials if keep_signals else 0, 2, bars))
    with _one_at_a_time:
        # Imported here, under the lock: it loads numba, which definitions and API must not pay for.
        from chandlery.backtest import jit, vm  # noqa: PLC0415

        before = jit.get_threads()
        slices = max(1, min(threads or before, jit.thread_limit(), trials))
        moments = np.empty((trials if keep_moments else slices, BLOCKS, 4))
        live = np.empty((slices, max(1, program.live_rows), bars))
        derived = np.empty((program.derived_rows, bars))
        queues = np.empty((slices, bars), dtype=np.int64)
        jit.set_threads(slices)
        try:
            vm.run_program(
                (program.prelude, program.tape, program.roots),
                numbers,
                (sources, derived, live, queues),
                (float(fee), float(slippage)),
                (metrics, moments, signals),
            )
        finally:
            jit.set_threads(before)
    return Evaluations(metrics, moments if keep_moments else None, signals != 0.0 if keep_signals else None)


def check_costs(*, fee: float, slippage: float) -> None:
    """Refuse costs that are no fraction of the price.

    Raises:
        InvalidInput: unless both lie in `[0, 1)`.
    """
    for name, value in (("fee", fee), ("slippage", slippage)):
        if not 0.0 <= value < 1.0:
            raise InvalidInput(f"{name} was {value}; it is a fraction of the fill price, 0.001 for 10 bps.")


def _checked_rows(strategy: Strategy, param_matrix: ArrayLike) -> NDArray[np.float64]:
    rows = np.ascontiguousarray(param_matrix, dtype=np.float64)
    expected = len(strategy.params)
    if rows.ndim != 2 or rows.shape[0] < 1 or rows.shape[1] != expected:
        names = ", ".join(strategy.param_names)
        raise BadParameters(f"Candidates were of shape {rows.shape}; {strategy.name} takes [n, {expected}]: {names}.")
    allowed = allowed_rows(strategy, rows)
    if not allowed.all():
        at = int(np.flatnonzero(~allowed)[0])
        given = dict(zip(strategy.param_names, rows[at].tolist(), strict=True))
        raise BadParameters(f"Candidate {at} of {strategy.name} was {given}, outside its ranges or constraints.")
    return rows
