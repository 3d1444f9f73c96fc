"""Crossing of a double and a triple exponential moving average."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, dema, tema
from chandlery.strategies.parameters import Int

_FAST_MA = dema(close, Param("fast"))
_SLOW_MA = tema(close, Param("slow"))

STRATEGY = Strategy(
    name="dema_tema",
    version=1,
    family="trend",
    title="DEMA and TEMA crossing",
    doc="Long when the fast double exponential average crosses above the slow triple one, out (or short) when it "
    "crosses below. Both carry less lag than a plain average of their length.",
    refs=("Mulloy 1994, Smoothing Data with Faster Moving Averages",),
    params={
        "fast": Int(default=20, lo=5, hi=80),
        "slow": Int(default=50, lo=12, hi=200),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"fast_ma": _FAST_MA, "slow_ma": _SLOW_MA},
    long_entry=crossover(_FAST_MA, _SLOW_MA),
    short_entry=crossunder(_FAST_MA, _SLOW_MA),
)
