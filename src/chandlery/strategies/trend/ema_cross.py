"""Crossing of two exponential moving averages."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, ema
from chandlery.strategies.parameters import Int

_FAST_MA = ema(close, Param("fast"))
_SLOW_MA = ema(close, Param("slow"))

STRATEGY = Strategy(
    name="ema_cross",
    version=1,
    family="trend",
    title="Exponential moving average crossing",
    doc="Long when the fast exponential moving average crosses above the slow one, out (or short) when it crosses "
    "below.",
    refs=(
        "Murphy 1999, Technical Analysis of the Financial Markets",
        "Appel 2005, Technical Analysis: Power Tools for Active Investors",
    ),
    params={
        "fast": Int(default=12, lo=3, hi=48),
        "slow": Int(default=26, lo=6, hi=104),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"fast_ma": _FAST_MA, "slow_ma": _SLOW_MA},
    long_entry=crossover(_FAST_MA, _SLOW_MA),
    short_entry=crossunder(_FAST_MA, _SLOW_MA),
)
