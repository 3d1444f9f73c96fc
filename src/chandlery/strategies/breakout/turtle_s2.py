"""The longer of the two Turtle systems, with pyramiding."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Const, Param
from chandlery.strategies.operations import atr, close, high, highest, isna, low, lowest
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Adds, Basis, Bracket, Distance, EntryOrder, OrderKind, Sizing

_UPPER = highest(high, Param("entry_length"))
_LOWER = lowest(low, Param("entry_length"))
_LONG_OUT = lowest(low, Param("exit_length"))[1]
_SHORT_OUT = highest(high, Param("exit_length"))[1]
_N = atr(Param("atr_length"))
# The orders stand on every bar on which channel and stop are known.
_IS_READY = ~isna(_UPPER) & ~isna(_N)
_PROTECTION = Bracket(stop=Distance(value=Param("stop") * _N, basis=Basis.DISTANCE, is_frozen=True))

STRATEGY = Strategy(
    name="turtle_s2",
    version=1,
    family="breakout",
    title="Turtle system 2",
    doc="A buy stop waits at the highest high of entry_length bars, a sell stop at the lowest low, for a quarter of "
    "equity. Up to three more quarters are added, each when price has gone add times N (the average true range before "
    "the entry) beyond the last fill. All units are closed stop times N behind their average price, or after a close "
    "beyond the opposite extreme of the previous exit_length bars.",
    refs=("Faith 2003, The Original Turtle Trading Rules", "Faith 2007, Way of the Turtle"),
    params={
        "entry_length": Int(default=55, lo=15, hi=215, step=10),
        "exit_length": Int(default=20, lo=5, hi=80, step=5),
        "atr_length": Int(default=20, lo=5, hi=80, step=15),
        "stop": Float(default=2.0, lo=1.0, hi=6.0, step=1.0),
        "add": Float(default=0.5, lo=0.25, hi=1.5, step=0.25),
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
    adds=Adds(units=4, distance=Distance(value=Param("add") * _N, basis=Basis.DISTANCE, is_frozen=True)),
    sizing=Sizing(value=Const(25.0)),
)
