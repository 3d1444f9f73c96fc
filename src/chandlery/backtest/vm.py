"""The virtual machine: one compiled function that runs any tape, parallel over candidates.

Importing this module loads numba. The machine code is kept on disk; numba notices changes of this file only, so
a checksum of all compiled sources is part of the function and of the key under which it is kept.
"""

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, Rows, checksum, kernel, parallel_entry, use_workqueue
from chandlery.backtest.kernels import averages, dispersion, elementwise, states, trailing, weighted, windows
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
_prefix, _window_total, _recursive, _rsi = averages.prefix, averages.window_total, averages.recursive, averages.rsi
_wma, _linreg, _alma, _kama = weighted.wma, weighted.linreg, weighted.alma, weighted.kama
_variance, _stdev, _dev = dispersion.variance, dispersion.stdev, dispersion.dev
_percentrank, _correlation = dispersion.percentrank, dispersion.correlation
_extreme, _change, _true_range = windows.extreme, windows.change, windows.true_range
_average_true_range, _extreme_offset, _pivot = windows.average_true_range, windows.extreme_offset, windows.pivot
_running, _last_defined, _value_when = states.running, states.last_defined, states.value_when
_bars_since, _latch, _streak, _cross = states.bars_since, states.latch, states.streak, states.cross
_sar, _supertrend, _heikin_ashi_open = trailing.sar, trailing.supertrend, trailing.heikin_ashi_open


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
        _window_total((a, b, c), length, float(length), out)
    elif code == opcodes.WINDOW_SUM:
        _window_total((a, b, c), length, 1.0, out)
    elif code == opcodes.RSI:
        _rsi(a, length, out)
    elif code == opcodes.WMA:
        _wma(a, length, out)
    elif code == opcodes.LINREG:
        _linreg(a, length, numbers[1], out)
    elif code == opcodes.ALMA:
        _alma(a, length, numbers[1], numbers[2], out)
    elif code == opcodes.KAMA:
        _kama(a, length, numbers[1], numbers[2], out)
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
    elif code == opcodes.HIGHESTBARS:
        _extreme_offset(a, length, out, queue, 1.0)
    elif code == opcodes.LOWESTBARS:
        _extreme_offset(a, length, out, queue, -1.0)
    elif code == opcodes.PIVOTHIGH:
        _pivot(a, length, int(numbers[1]), out, 1.0)
    elif code == opcodes.PIVOTLOW:
        _pivot(a, length, int(numbers[1]), out, -1.0)
    elif code == opcodes.CHANGE:
        _change(a, length, out)
    elif code == opcodes.ATR:
        _average_true_range(a, b, c, length, out)
    else:
        _true_range(code, a, b, c, out)


@kernel
def _dispersion(code: int, inputs: Triple, numbers: Numbers, out: Row) -> None:
    a, b, _ = inputs
    length = int(numbers[0])
    if code == opcodes.VARIANCE:
        _variance(a, length, out)
    elif code == opcodes.STDEV:
        _stdev(a, length, out)
    elif code == opcodes.DEV:
        _dev(a, length, out)
    elif code == opcodes.PERCENTRANK:
        _percentrank(a, length, out)
    else:
        _correlation(a, b, length, out)


@kernel
def _signal(code: int, a: Row, b: Row, number: float, out: Row) -> None:
    if code == opcodes.LATCH:
        _latch(a, b, out)
    elif code == opcodes.RISING:
        _streak(a, int(number), out, 1.0)
    elif code == opcodes.FALLING:
        _streak(a, int(number), out, -1.0)
    elif code == opcodes.CROSS:
        _cross(a, b, out)
    else:
        _logic(code, a, b, out)


@kernel
def _state(code: int, inputs: Triple, numbers: Numbers, outputs: Triple, queue: Queue) -> None:
    a, b, c = inputs
    out = outputs[0]
    if code == opcodes.FIXNAN:
        _last_defined(a, out)
    elif code == opcodes.VALUEWHEN:
        _value_when(a, b, int(numbers[0]), out, queue)
    elif code == opcodes.BARSSINCE:
        _bars_since(a, out)
    elif code == opcodes.SAR:
        _sar(a, b, numbers, out, outputs[1])
    elif code == opcodes.SUPERTREND:
        _supertrend(inputs, numbers[0], int(numbers[1]), out, outputs[1])
    elif code == opcodes.HEIKIN_ASHI_OPEN:
        _heikin_ashi_open(a, b, c, out)
    else:
        _running(code, a, b, out)


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
            _signal(code, a, b, given[0], out)
        elif family == 4:
            _average(code, (a, b, c), given, answers)
        elif family == 5:
            _window(code, (a, b, c), given, out, queue)
        elif family == 6:
            _dispersion(code, (a, b, c), given, out)
        else:
            _state(code, (a, b, c), given, answers, queue)


def _build(checksum: int) -> Callable[..., None]:
    def run(  # pragma: no cover - compiled, so coverage cannot see it
        tapes: tuple[Tape, NDArray[np.int64]],
        numbers: Rows,
        memory: tuple[Rows, Rows, NDArray[np.float64], Queue],
        costs: tuple[float, float],
        outputs: tuple[Rows, NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        """Run the tape for every row of `numbers` and fill the outputs.

        `tapes`: tape, and the rows of entry and closing. `memory`: sources, derived rows, and per slice live rows
        and a queue; each slice takes an equal share of the candidates, and with as many slices as candidates the
        rows of each stay. `costs`: fee, slippage. `outputs`: metrics (none: nothing is simulated), moments (per
        candidate, or scratch per slice), entry and closing (or none).
        """
        # A live use of the checksum, so that it stays part of the function; it is never negative.
        if checksum < 0:
            return
        tape, roots = tapes
        sources, derived, live, queues = memory
        metrics, moments, signals = outputs
        slices, trials = live.shape[0], numbers.shape[0]
        keeps_moments = moments.shape[0] == trials
        for part in numba.prange(slices):
            tables = (sources, derived, live[part])
            for trial in range(part * trials // slices, (part + 1) * trials // slices):
                _execute(tape, numbers[trial], tables, live[part], queues[part])
                if metrics.shape[0] > 0:
                    entry, closing = _row(tables, roots[0]), _row(tables, roots[1])
                    blocks = moments[trial] if keeps_moments else moments[part]
                    simulate((sources[0], sources[1]), (entry, closing), costs, metrics[trial], blocks)
                    if signals.shape[0] > 0:
                        signals[trial, 0, :] = entry
                        signals[trial, 1, :] = closing

    return parallel_entry(run)


use_workqueue()
run_program = _build(checksum("kernels/*.py", "metrics.py", "opcodes.py", "program.py"))
"""The compiled machine; one call at a time per process (`machine` holds the lock)."""
