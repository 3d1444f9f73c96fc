"""Chaikin oscillator through zero."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import accdist, crossover, crossunder, ema
from chandlery.strategies.parameters import Int

_LINE = accdist()
_FAST = ema(_LINE, Param("fast"))
_SLOW = ema(_LINE, Param("slow"))

STRATEGY = Strategy(
    name="chaikin_osc",
    version=1,
    family="volume",
    title="Chaikin oscillator",
    doc="Buy when the fast exponential average of the accumulation/distribution line crosses above the slow one, which "
    "is the oscillator crossing zero; out, and short, when it crosses below.",
    refs=("Achelis 2001, Technical Analysis from A to Z",),
    params={
        "fast": Int(default=3, lo=1, hi=12),
        "slow": Int(default=10, lo=3, hi=40),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"fast_average": _FAST, "slow_average": _SLOW},
    long_entry=crossover(_FAST, _SLOW),
    short_entry=crossunder(_FAST, _SLOW),
)
