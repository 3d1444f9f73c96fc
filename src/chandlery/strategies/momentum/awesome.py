"""Awesome oscillator through zero."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import crossover, crossunder, hl2, sma
from chandlery.strategies.parameters import Int

_FAST = sma(hl2, Param("fast"))
_SLOW = sma(hl2, Param("slow"))

STRATEGY = Strategy(
    name="awesome",
    version=1,
    family="momentum",
    title="Awesome oscillator",
    doc="Buy when the fast average of bar midpoints crosses above the slow one, which is the oscillator crossing "
    "zero; out, and short, when it crosses below.",
    refs=("Williams 1998, New Trading Dimensions",),
    params={
        "fast": Int(default=5, lo=2, hi=20),
        "slow": Int(default=34, lo=10, hi=136, step=3),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"fast_average": _FAST, "slow_average": _SLOW},
    long_entry=crossover(_FAST, _SLOW),
    short_entry=crossunder(_FAST, _SLOW),
)
