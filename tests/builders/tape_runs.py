"""Tape runs: one compiled operation on given rows, answered as it stands in memory."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.backtest.compiler import compile_strategy
from chandlery.backtest.execution import Execution
from chandlery.backtest.machine import Wanted, run_machine
from chandlery.backtest.opcodes import CODES
from chandlery.backtest.program import CODE, IN, OUT, SLOT, WIDTH
from chandlery.indicators import SLOTTED, get_op
from chandlery.strategies import Const, get_strategy


@dataclass(frozen=True)
class Rows:
    """Rows in the place of a panel; `source` takes the number of one."""

    rows: NDArray[np.float64]

    @property
    def bars(self) -> int:
        """Bars of every row."""
        return self.rows.shape[1]

    def source(self, name: str) -> NDArray[np.float64]:
        """Return one row."""
        return self.rows[int(name)]


def run_operation(name: str, *operands: ArrayLike) -> NDArray[np.float64]:
    """Return what the machine writes for the registered operation `name`; signals are rows of 0.0 and 1.0.

    Operands as for its reference; bool rows are passed as 0.0 and 1.0.
    """
    spec = get_op(name)
    pairs = list(zip(spec.operands, operands, strict=True))
    rows = np.atleast_2d([np.asarray(value, dtype=np.float64) for role, value in pairs if role not in SLOTTED])
    numbers = [Const(float(value)) for role, value in pairs if role in SLOTTED] or [Const(0.0)]
    # The simulator reads opens and closes from the first two rows; what it makes of them is not looked at.
    sources = np.vstack([np.ones((2, rows.shape[1])), rows])
    line = np.zeros(WIDTH, dtype=np.int64)
    line[CODE] = CODES[spec.computation]
    line[IN : IN + len(rows)] = 2 + np.arange(len(rows))
    line[SLOT : SLOT + len(numbers)] = np.arange(len(numbers))
    line[OUT : OUT + 3] = np.arange(3)
    wanted = len(sources) + spec.output
    strategy = get_strategy("sma_cross")
    program = replace(
        compile_strategy(strategy),
        sources=tuple(map(str, range(len(sources)))),
        scalars=tuple(numbers),
        length_slots=(),
        prelude=np.empty((0, WIDTH), dtype=np.int64),
        tape=line[None],
        derived_rows=0,
        live_rows=3,
        roots=np.array([wanted, wanted]),
    )
    candidate = np.array([list(strategy.defaults.values())], dtype=np.float64)
    outcome = run_machine(program, candidate, Rows(sources), Execution(), wanted=Wanted(signals=True), threads=1)
    return outcome.signals[0, 0]
