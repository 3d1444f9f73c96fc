"""The virtual machine: one compiled function that runs any tape, parallel over candidates.

Importing this module loads numba. The machine code is kept on disk; numba notices changes of this file only, so
a checksum of all compiled sources is part of the function and of the key under which it is kept.
"""

import zlib
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, Rows, kernel, parallel_entry, use_workqueue
from chandlery.backtest.kernels import averages, elementwise, windows
from chandlery.backtest.kernels.simulator import simulate
from chandlery.backtest.program import CODE, IN, OUT, SLOT

Tape = NDArray[np.int64]
Queue = NDArray[np.int64]
Tables = tuple[Rows, Rows, Rows]
"""Sources, derived rows, rows of the thread."""


@kernel
def _row(tables: Tables, index: int) -> Row:
    sources, derived, live = tables
    row: Row = sources[0]
    if index < sources.shape[0]:
        row = sources[index]
    elif index < sources.shape[0] + derived.shape[0]:
        row = derived[index - sources.shape[0]]
    else:
        row = live[index - sources.shape[0] - derived.shape[0]]
    return row


_layout, _arithmetic, _comparison = elementwise.layout, elementwise.arithmetic, elementwise.comparison
_logic = elementwise.logic
_prefix, _window_mean, _recursive, _rsi = averages.prefix, averages.window_mean, averages.recursive, averages.rsi
_extreme, _change, _true_range = windows.extreme, windows.change, windows.true_range
_average_true_range = windows.average_true_range


Triple = tuple[Row, Row, Row]
Numbers = tuple[float, float, float]


@kernel
def _average(code: int, inputs: Triple, numbers: Numbers, outputs: Triple) -> None:
    a, b, c = inputs
    out, second, third = outputs
    length = int(numbers[0])
    if code == opcodes.PREFIX:
        _prefix(a, out, second, third)
    elif code == opcodes.WINDOW_MEAN:
        _window_mean(a, b, c, length, out)
    elif code == opcodes.RSI:
        _rsi(a, length, out)
    else:
        _recursive(code, a, length, out)


@kernel
def _window(code: int, inputs: Triple, numbers: Numbers, out: Row, queue: Queue) -> None:
    a, b, c = inputs
    length = int(numbers[0])
    if code == opcodes.HIGHEST:
        _extreme(a, length, out, queue, 1.0)
    elif code == opcodes.LOWEST:
        _extreme(a, length, out, queue, -1.0)
    elif code == opcodes.CHANGE:
        _change(a, length, out)
    elif code == opcodes.ATR:
        _average_true_range(a, b, c, length, out)
    else:
        _true_range(code, a, b, c, out)


@kernel
def _dispersion(code: int, inputs: Triple, numbers: Numbers, out: Row, queue: Queue) -> None:
    out[:] = 0.0


@kernel
def _state(code: int, inputs: Triple, numbers: Numbers, outputs: Triple) -> None:
    outputs[0][:] = 0.0


@kernel
def _execute(tape: Tape, numbers: Row, tables: Tables, target: Rows, queue: Queue) -> None:
    for q in range(tape.shape[0]):
        code = tape[q, CODE]
        a, b, c = _row(tables, tape[q, IN]), _row(tables, tape[q, IN + 1]), _row(tables, tape[q, IN + 2])
        given = (numbers[tape[q, SLOT]], numbers[tape[q, SLOT + 1]], numbers[tape[q, SLOT + 2]])
        out = target[tape[q, OUT]]
        answers = (out, target[tape[q, OUT + 1]], target[tape[q, OUT + 2]])
        family = code // opcodes.FAMILY
        if family == 0:
            _layout(code, a, given[0], out)
        elif family == 1:
            _arithmetic(code, a, b, c, out)
        elif family == 2:
            _comparison(code, a, b, out)
        elif family == 3:
            _logic(code, a, b, out)
        elif family == 4:
            _average(code, (a, b, c), given, answers)
        elif family == 5:
            _window(code, (a, b, c), given, out, queue)
        elif family == 6:
            _dispersion(code, (a, b, c), given, out, queue)
        else:
            _state(code, (a, b, c), given, answers)


def _checksum() -> int:
    folder = Path(__file__).parent
    names = ("jit.py", "metrics.py", "opcodes.py", "program.py")
    files = sorted([*folder.glob("kernels/*.py"), *(folder / name for name in names)])
    return zlib.crc32(b"".join(path.read_bytes() for path in files if path.exists()))


def _build(checksum: int) -> Callable[..., None]:
    def run(  # pragma: no cover - compiled, so coverage cannot see it
        tapes: tuple[Tape, Tape, Tape],
        numbers: Rows,
        memory: tuple[Rows, Rows, NDArray[np.float64], Queue],
        costs: tuple[float, float],
        outputs: tuple[Rows, NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        """Fill the outputs for every row of `numbers`.

        `tapes`: prelude, tape, roots. `memory`: sources, derived rows, and per thread live rows and a queue.
        `costs`: fee, slippage. `outputs`: metrics, moments (per candidate, or scratch per thread), signals (or
        none). Each thread owns one slice of the candidates.
        """
        # A live use of the checksum, so that it stays part of the function; it is never negative.
        if checksum < 0:
            return
        prelude, tape, roots = tapes
        sources, derived, live, queues = memory
        metrics, moments, signals = outputs
        _execute(prelude, numbers[0], (sources, derived, live[0]), derived, queues[0])
        slices, trials = live.shape[0], numbers.shape[0]
        keeps_moments = moments.shape[0] == trials
        for part in numba.prange(slices):
            tables = (sources, derived, live[part])
            for trial in range(part * trials // slices, (part + 1) * trials // slices):
                _execute(tape, numbers[trial], tables, live[part], queues[part])
                entry, closing = _row(tables, roots[0]), _row(tables, roots[1])
                blocks = moments[trial] if keeps_moments else moments[part]
                simulate((sources[0], sources[1]), (entry, closing), costs, metrics[trial], blocks)
                if signals.shape[0] > 0:
                    signals[trial, 0, :] = entry
                    signals[trial, 1, :] = closing

    return parallel_entry(run)


use_workqueue()
run_program = _build(_checksum())
"""The compiled machine; one call at a time per process (`engine` holds the lock)."""
