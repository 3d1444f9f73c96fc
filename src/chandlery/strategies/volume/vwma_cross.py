"""Crossing of two volume-weighted moving averages."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, vwma
from chandlery.strategies.parameters import Int

_FAST_MA = vwma(close, Param("fast"))
_SLOW_MA = vwma(close, Param("slow"))

STRATEGY = Strategy(
    name="vwma_cross",
    version=1,
    family="volume",
    title="Volume-weighted average crossing",
    doc="Buy when the fast volume-weighted average crosses above the slow one; out, and short, when it crosses below.",
    refs=("Dormeier 2011, Investing with Volume Analysis",),
    params={
        "fast": Int(default=20, lo=5, hi=80, step=5),
        "slow": Int(default=50, lo=15, hi=200, step=5),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"fast_ma": _FAST_MA, "slow_ma": _SLOW_MA},
    long_entry=crossover(_FAST_MA, _SLOW_MA),
    short_entry=crossunder(_FAST_MA, _SLOW_MA),
)
