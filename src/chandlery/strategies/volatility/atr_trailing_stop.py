"""Reversals by a number of average true ranges, with a stop that trails as far."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import atr, close, crossover, crossunder, highest, lowest
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Basis, Bracket, Distance, Trail

_REACH = Param("factor") * atr(Param("length"))
_UPPER = lowest(close, Param("length")) + _REACH
_LOWER = highest(close, Param("length")) - _REACH
_TRAILING = Bracket(trail=Trail(offset=Distance(value=_REACH, basis=Basis.DISTANCE)))

STRATEGY = Strategy(
    name="atr_trailing_stop",
    version=1,
    family="volatility",
    title="ATR trailing stop",
    doc="Long when the close crosses above the lowest close of the last length bars plus factor average true ranges: "
    "price has turned by more than its usual range. A stop trails as far behind the best price since the position "
    "opened. Short when the close crosses as far below the highest close, with the same stop; a turn the other way "
    "reverses.",
    refs=("Wilder 1978, New Concepts in Technical Trading Systems, the volatility system",),
    params={
        "length": Int(default=10, lo=3, hi=40),
        "factor": Float(default=2.0, lo=1.0, hi=6.0, step=0.1),
    },
    let={"reach": _REACH, "upper": _UPPER, "lower": _LOWER},
    long_entry=crossover(close, _UPPER),
    short_entry=crossunder(close, _LOWER),
    long_bracket=_TRAILING,
    short_bracket=_TRAILING,
)
