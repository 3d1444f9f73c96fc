"""Outside bar in the direction of its body."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, low, open_
from chandlery.strategies.parameters import Int

_BACK = Param("back")
_IS_OUTSIDE = (high > high[_BACK]) & (low < low[_BACK])

STRATEGY = Strategy(
    name="outside_bar",
    version=1,
    family="breakout",
    title="Outside bar",
    doc="Buy after a bar that reaches beyond the bar back bars ago on both ends, if it closed above its open; out, and "
    "short, if it closed below its open. The built-in compares with the bar before, back = 1.",
    refs=("TradingView built-in OutSide Bar Strategy",),
    params={"back": Int(default=1, lo=1, hi=4)},
    let={"outside": _IS_OUTSIDE},
    long_entry=_IS_OUTSIDE & (close > open_),
    short_entry=_IS_OUTSIDE & (close < open_),
)
