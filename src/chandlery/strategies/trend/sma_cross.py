"""Crossing of two simple moving averages."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, sma
from chandlery.strategies.parameters import Int

_FAST_MA = sma(close, Param("fast"))
_SLOW_MA = sma(close, Param("slow"))

STRATEGY = Strategy(
    name="sma_cross",
    version=1,
    family="trend",
    title="Moving average crossing",
    doc="Long when the fast simple moving average crosses above the slow one, out (or short) when it crosses below.",
    refs=("TradingView built-in MovingAvg2Line Cross", "Brock, Lakonishok, LeBaron 1992"),
    params={
        "fast": Int(default=50, lo=10, hi=200, step=5),
        "slow": Int(default=200, lo=50, hi=800, step=10),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"fast_ma": _FAST_MA, "slow_ma": _SLOW_MA},
    long_entry=crossover(_FAST_MA, _SLOW_MA),
    long_exit=crossunder(_FAST_MA, _SLOW_MA),
    short_entry=crossunder(_FAST_MA, _SLOW_MA),
    short_exit=crossover(_FAST_MA, _SLOW_MA),
)
