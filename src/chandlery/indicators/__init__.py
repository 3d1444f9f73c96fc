"""Indicators: pure functions over price series, and the registry that gives each one its name and types.

What belongs here: one function per indicator or operator with the semantics of Pine v6, plain numpy, and one
`OpSpec` entry per function. What does not: strategies (`strategies/`), the compiled versions of the same
functions (`backtest/kernels.py`, which is tested against these bit by bit). Every room above may import it.

Conventions of every function: series are one-dimensional float64 arrays in time order, one value per bar;
`NaN` is Pine's `na`; the answer has the length of the input and value `i` depends on bars `0..i` only. Signals
are bool arrays, and a comparison with `NaN` is false. The warm-up named in a docstring is the number of leading
bars without an answer on input without `NaN`.
"""

from chandlery.indicators.crosses import crossover, crossunder
from chandlery.indicators.extremes import highest, lowest
from chandlery.indicators.moving_averages import ema, rma, sma
from chandlery.indicators.operators import TOLERANCE, nz
from chandlery.indicators.oscillators import change, rsi
from chandlery.indicators.ranges import atr, tr
from chandlery.indicators.registry import OPS, get_op
from chandlery.indicators.spec import SLOTTED, OpSpec, Role, Scalar

__all__ = [
    "OPS",
    "SLOTTED",
    "TOLERANCE",
    "OpSpec",
    "Role",
    "Scalar",
    "atr",
    "change",
    "crossover",
    "crossunder",
    "ema",
    "get_op",
    "highest",
    "lowest",
    "nz",
    "rma",
    "rsi",
    "sma",
    "tr",
]
