"""The machine: memory, threads and the lock around the compiled code."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.broker_plan import bars_for, with_execution
from chandlery.backtest.execution import Execution
from chandlery.backtest.kernels import fields as f
from chandlery.backtest.metrics import BLOCKS, METRICS
from chandlery.backtest.panel import Panel
from chandlery.backtest.program import Program

Floats = NDArray[np.float64]

one_at_a_time = threading.Lock()
"""numba's workqueue layer aborts the process when two threads start parallel work at once."""

_LINES_PER_BAR = 4
_BATCH_BYTES = 32_000_000
"""Rows of the candidates simulated at a time: within the cache of a server, many candidates of daily bars."""

_FREE = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is kept beside the metrics; `record` keeps the curve and trades of a single candidate."""

    moments: bool = False
    signals: bool = False
    record: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """What the machine wrote.

    `metrics` `[candidates, 8]`; `moments` `[candidates, 64, 4]` or scratch; `signals` `[candidates, roots kept,
    bars]` or empty; `curve` `[2, bars]` equity and exposure, `trades` `[trades, fields.TRADE]`, or empty.
    """

    metrics: Floats
    moments: Floats
    signals: Floats
    curve: Floats
    trades: Floats


def run_machine(
    program: Program, rows: Floats, panel: Panel, execution: Execution, *, wanted: Wanted, threads: int | None
) -> Outcome:
    """Evaluate all candidates `[candidates, parameters]`, one call at a time per process.

    Raises:
        ResearchError: for a length below 1, or rules the mode does not know.
    """
    numbers = program.values(rows)
    plan = with_execution(program.rules, execution)
    sources = np.stack([panel.source(name) for name in program.sources])
    with one_at_a_time:
        # Imported here, under the lock: it loads numba, which definitions and API must not pay for.
        from chandlery.backtest import jit  # noqa: PLC0415

        before = jit.get_threads()
        slices = max(1, min(threads or before, jit.thread_limit(), rows.shape[0]))
        jit.set_threads(slices)
        try:
            derived = _run_prelude(program, numbers, sources)
            if program.rules.size == 0:
                return _run_plain(program, numbers, (sources, derived), plan, wanted=wanted, slices=slices)
            bars = bars_for(panel, execution)
            return _run_orders(program, numbers, (sources, derived), (bars, plan), wanted=wanted, slices=slices)
        finally:
            jit.set_threads(before)


def warm_orders(program: Program, panel: Panel) -> None:
    """Load the order simulator, compiling it if its code is not kept, without the machine that fills the rows."""
    bars, size = bars_for(panel, Execution()), panel.bars
    rows = (np.zeros((2, size)), np.zeros((0, size)), np.zeros((1, 1, size)), np.zeros_like(program.roots))
    account = (with_execution(program.rules, Execution()), np.zeros((1, f.LINES, f.COLUMNS)))
    outputs = (np.empty((1, len(METRICS))), np.empty((1, BLOCKS, 4)), np.empty((1, 2, 0)), np.empty((1, 0, f.TRADE)))
    with one_at_a_time:
        from chandlery.backtest import order_vm  # noqa: PLC0415 - loads numba

        order_vm.run_orders(bars, rows, account, outputs)


def _run_prelude(program: Program, numbers: Floats, sources: Floats) -> Floats:
    """Return the rows that no parameter touches."""
    from chandlery.backtest import vm  # noqa: PLC0415 - loads numba

    bars = sources.shape[1]
    derived = np.empty((program.derived_rows, bars))
    if program.prelude.shape[0]:
        memory = (sources, np.empty((0, bars)), derived[None], np.empty((1, bars), np.int64))
        vm.run_program((program.prelude, program.roots), numbers[:1], memory, _FREE, _nothing(bars))
    return derived


def _run_plain(
    program: Program,
    numbers: Floats,
    given: tuple[Floats, Floats],
    plan: Floats,
    *,
    wanted: Wanted,
    slices: int,
) -> Outcome:
    from chandlery.backtest import vm  # noqa: PLC0415 - loads numba

    trials, bars = numbers.shape[0], given[0].shape[1]
    metrics = np.empty((trials, len(METRICS)))
    moments = np.empty((trials if wanted.moments else slices, BLOCKS, 4))
    signals = np.empty((trials if wanted.signals else 0, 2, bars))
    live = np.empty((slices, max(1, program.live_rows), bars))
    memory = (*given, live, np.empty((slices, bars), np.int64))
    costs = (float(plan[f.FEE]), float(plan[f.LOSS]))
    vm.run_program((program.tape, program.roots), numbers, memory, costs, (metrics, moments, signals))
    return Outcome(
        metrics=metrics, moments=moments, signals=signals, curve=np.empty((2, 0)), trades=np.empty((0, f.TRADE))
    )


def _run_orders(
    program: Program,
    numbers: Floats,
    given: tuple[Floats, Floats],
    market: tuple[Floats, Floats],
    *,
    wanted: Wanted,
    slices: int,
) -> Outcome:
    """Fill the rows of a batch of candidates, simulate them, go on with the next batch."""
    from chandlery.backtest import order_vm, vm  # noqa: PLC0415 - loads numba

    (bars, plan), trials, size = market, numbers.shape[0], given[0].shape[1]
    metrics = np.empty((trials, len(METRICS)))
    moments = np.empty((trials if wanted.moments else slices, BLOCKS, 4))
    signals = np.empty((trials if wanted.signals else 0, 4, size))
    curves = np.empty((1, 2, size if wanted.record else 0))
    trades = np.empty((1, (_LINES_PER_BAR * size + 64) if wanted.record else 0, f.TRADE))
    books = np.zeros((slices, f.LINES, f.COLUMNS))
    batch = max(slices, min(trials, _BATCH_BYTES // (8 * size * (program.live_rows + 1))))
    live = np.empty((batch, max(1, program.live_rows), size))
    queues = np.empty((batch, size), np.int64)
    for start in range(0, trials, batch):
        part = numbers[start : start + batch]
        rows = live[: part.shape[0]]
        memory = (*given, rows, queues[: part.shape[0]])
        vm.run_program((program.tape, program.roots), part, memory, _FREE, _nothing(size))
        blocks = moments[start : start + batch] if wanted.moments else moments
        answers = (metrics[start : start + batch], blocks, curves, trades)
        order_vm.run_orders(bars, (*given, rows, program.roots), (plan, books), answers)
        if wanted.signals:
            _keep_decisions(signals[start : start + batch], (*given, rows), program.roots)
    lines = int(books[0, f.STATE, f.TRADE_COUNT]) if wanted.record else 0
    return Outcome(metrics=metrics, moments=moments, signals=signals, curve=curves[0], trades=trades[0, :lines])


def _keep_decisions(signals: Floats, tables: tuple[Floats, Floats, Floats], roots: NDArray[np.int64]) -> None:
    sources, derived, live = tables
    places = [side * f.PER_SIDE + place for side in range(2) for place in (f.GO, f.LEAVE)]
    for kept, row in enumerate(roots[places].tolist()):
        if row < sources.shape[0]:
            signals[:, kept] = sources[row]
        elif row < sources.shape[0] + derived.shape[0]:
            signals[:, kept] = derived[row - sources.shape[0]]
        else:
            signals[:, kept] = live[:, row - sources.shape[0] - derived.shape[0]]


def _nothing(bars: int) -> tuple[Floats, Floats, Floats]:
    """Return outputs that keep nothing: the tape alone runs."""
    return np.empty((0, len(METRICS))), np.empty((0, BLOCKS, 4)), np.empty((0, 2, bars))
