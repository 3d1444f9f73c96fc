"""Bars that gap and go on."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, open_
from chandlery.strategies.parameters import Float

_ABOVE = close[1] * (1 + Param("gap") / 100)
_BELOW = close[1] * (1 - Param("gap") / 100)

STRATEGY = Strategy(
    name="bar_up_dn",
    version=1,
    family="pattern",
    title="BarUpDn",
    doc="Long after a bar that opened above the close before it and closed above its open, out (or short) after one "
    "that opened below the close before it and closed below its open. The gap, and the body after it, must exceed so "
    "many percent; 0 is the original. Its limit on the loss of a day is left out.",
    refs=("TradingView built-in BarUpDn Strategy",),
    params={
        "gap": Float(default=0.0, lo=0.0, hi=2.0, step=0.05),
        "body": Float(default=0.0, lo=0.0, hi=2.0, step=0.05),
    },
    let={"above": _ABOVE, "below": _BELOW},
    long_entry=(open_ > _ABOVE) & (close > open_ * (1 + Param("body") / 100)),
    short_entry=(open_ < _BELOW) & (close < open_ * (1 - Param("body") / 100)),
)
