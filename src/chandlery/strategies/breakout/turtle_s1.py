"""The shorter of the two Turtle systems."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import atr, close, high, highest, isna, low, lowest
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Basis, Bracket, Distance, EntryOrder, OrderKind

_UPPER = highest(high, Param("entry_length"))
_LOWER = lowest(low, Param("entry_length"))
_LONG_OUT = lowest(low, Param("exit_length"))[1]
_SHORT_OUT = highest(high, Param("exit_length"))[1]
_N = atr(Param("atr_length"))
# The orders stand on every bar on which channel and stop are known.
_IS_READY = ~isna(_UPPER) & ~isna(_N)
_PROTECTION = Bracket(stop=Distance(value=Param("stop") * _N, basis=Basis.DISTANCE, is_frozen=True))

STRATEGY = Strategy(
    name="turtle_s1",
    version=1,
    family="breakout",
    title="Turtle system 1",
    doc="A buy stop waits at the highest high of entry_length bars, a sell stop at the lowest low. A long is closed "
    "stop times N (the average true range before the entry) below its price, or after a close below the lowest low of "
    "the previous exit_length bars; a short the other way round. Every breakout is taken, also after a winner.",
    refs=("Faith 2003, The Original Turtle Trading Rules", "Faith 2007, Way of the Turtle"),
    params={
        "entry_length": Int(default=20, lo=5, hi=80, step=5),
        "exit_length": Int(default=10, lo=4, hi=40, step=2),
        "atr_length": Int(default=20, lo=5, hi=80, step=5),
        "stop": Float(default=2.0, lo=1.0, hi=6.0, step=0.5),
    },
    constraints=(Param("exit_length") < Param("entry_length"),),
    let={"upper": _UPPER, "lower": _LOWER, "long_out": _LONG_OUT, "short_out": _SHORT_OUT, "n": _N},
    long_entry=_IS_READY,
    long_exit=close < _LONG_OUT,
    short_entry=_IS_READY,
    short_exit=close > _SHORT_OUT,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_UPPER),
    short_order=EntryOrder(kind=OrderKind.STOP, level=_LOWER),
    long_bracket=_PROTECTION,
    short_bracket=_PROTECTION,
)
