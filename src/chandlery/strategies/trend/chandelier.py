"""Breakouts that hang their stop from the highest high."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import atr, close, high, highest, low, lowest
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Basis, Bracket, Distance

_TOP = highest(high, Param("length"))
_BOTTOM = lowest(low, Param("length"))
_REACH = Param("factor") * atr(Param("length"))
_LONG_STOP = _TOP - _REACH
_SHORT_STOP = _BOTTOM + _REACH

STRATEGY = Strategy(
    name="chandelier",
    version=1,
    family="trend",
    title="Chandelier exit",
    doc="Long when the close exceeds the highest high of the previous length bars. A stop hangs factor average true "
    "ranges below the highest high of the last length bars and moves with it at every close, from the bar after the "
    "fill on. Short when the close falls below the lowest low, the stop as far above the lowest low; a breakout the "
    "other way reverses.",
    refs=("Elder 2002, Come into My Trading Room, the exit of LeBeau",),
    params={
        "length": Int(default=22, lo=5, hi=88),
        "factor": Float(default=3.0, lo=1.5, hi=9.0, step=0.1),
    },
    let={"long_stop": _LONG_STOP, "short_stop": _SHORT_STOP},
    long_entry=close > _TOP[1],
    short_entry=close < _BOTTOM[1],
    long_bracket=Bracket(stop=Distance(value=_LONG_STOP, basis=Basis.PRICE)),
    short_bracket=Bracket(stop=Distance(value=_SHORT_STOP, basis=Basis.PRICE)),
)
