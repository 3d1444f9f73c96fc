"""Indicators: pure functions over price series, and the registry that gives each one its name and types.

What belongs here: one function per indicator or operator with the semantics of Pine v6, plain numpy, and one
`OpSpec` entry per function. What does not: strategies (`strategies/`), the compiled versions of the same
functions (`backtest/kernels/`, which is tested against these bit by bit). Every room above may import it.

Conventions of every function: series are one-dimensional float64 arrays in time order, one value per bar;
`NaN` is Pine's `na`; the answer has the length of the input and value `i` depends on bars `0..i` only. Signals
are bool arrays, and a comparison with `NaN` is false. The warm-up named in a docstring is the number of leading
bars without an answer on input without `NaN`.
"""

from chandlery.indicators.bands import bb, bbw, kc, kcw
from chandlery.indicators.crosses import cross, crossover, crossunder
from chandlery.indicators.directional import aroon, dmi, vortex
from chandlery.indicators.dispersion import correlation, dev, percentrank, stdev, variance
from chandlery.indicators.extremes import falling, highest, highestbars, lowest, lowestbars, rising
from chandlery.indicators.moving_averages import alma, ema, kama, linreg, rma, sma, wma
from chandlery.indicators.nested_averages import dema, hma, swma, tema, vwma
from chandlery.indicators.operators import TOLERANCE, nz
from chandlery.indicators.oscillators import cci, change, cmo, mfi, mom, roc, rsi, stoch, wpr
from chandlery.indicators.pivots import pivothigh, pivotlow
from chandlery.indicators.ranges import atr, tr
from chandlery.indicators.registry import OPS, get_op
from chandlery.indicators.smoothed_moves import macd, ppo, trix, tsi
from chandlery.indicators.spec import SLOTTED, OpSpec, Role, Scalar
from chandlery.indicators.states import barssince, fixnan, latch, valuewhen
from chandlery.indicators.totals import cum, cum_since, total
from chandlery.indicators.trailing import heikin_ashi, sar, supertrend
from chandlery.indicators.volumes import accdist, obv, vwap, vwap_stdev

__all__ = [
    "OPS",
    "SLOTTED",
    "TOLERANCE",
    "OpSpec",
    "Role",
    "Scalar",
    "accdist",
    "alma",
    "aroon",
    "atr",
    "barssince",
    "bb",
    "bbw",
    "cci",
    "change",
    "cmo",
    "correlation",
    "cross",
    "crossover",
    "crossunder",
    "cum",
    "cum_since",
    "dema",
    "dev",
    "dmi",
    "ema",
    "falling",
    "fixnan",
    "get_op",
    "heikin_ashi",
    "highest",
    "highestbars",
    "hma",
    "kama",
    "kc",
    "kcw",
    "latch",
    "linreg",
    "lowest",
    "lowestbars",
    "macd",
    "mfi",
    "mom",
    "nz",
    "obv",
    "percentrank",
    "pivothigh",
    "pivotlow",
    "ppo",
    "rising",
    "rma",
    "roc",
    "rsi",
    "sar",
    "sma",
    "stdev",
    "stoch",
    "supertrend",
    "swma",
    "tema",
    "total",
    "tr",
    "trix",
    "tsi",
    "valuewhen",
    "variance",
    "vortex",
    "vwap",
    "vwap_stdev",
    "vwma",
    "wma",
    "wpr",
]
