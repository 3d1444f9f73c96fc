"""Breakout of the narrowest bar of seven."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import high, low, lowest
from chandlery.strategies.parameters import Int
from chandlery.strategies.rules import Basis, Bracket, Distance, EntryOrder, OrderKind

_SPREAD = high - low
_BEFORE = lowest(_SPREAD, Param("length") - 1)[1]
_IS_NARROW = _SPREAD < _BEFORE

STRATEGY = Strategy(
    name="nr7",
    version=1,
    family="breakout",
    title="Narrowest range of seven",
    doc="After a bar narrower than each of the length - 1 bars before it, a buy stop waits at its high and a sell stop "
    "at its low for one bar; the first to fill cancels the other. The trade is closed at the opposite end of the "
    "narrow bar, at the open after hold closes in position, or by a breakout of the other side.",
    refs=("Crabel 1990, Day Trading with Short Term Price Patterns and Opening Range Breakout",),
    params={
        "length": Int(default=7, lo=2, hi=28),
        "hold": Int(default=5, lo=1, hi=20),
    },
    let={"spread": _SPREAD, "narrowest_before": _BEFORE},
    long_entry=_IS_NARROW,
    short_entry=_IS_NARROW,
    long_order=EntryOrder(kind=OrderKind.STOP, level=high, cancel=~_IS_NARROW),
    short_order=EntryOrder(kind=OrderKind.STOP, level=low, cancel=~_IS_NARROW),
    one_cancels_other=True,
    long_bracket=Bracket(
        stop=Distance(value=low, basis=Basis.PRICE, is_frozen=True),
        max_bars=Param("hold"),
    ),
    short_bracket=Bracket(
        stop=Distance(value=high, basis=Basis.PRICE, is_frozen=True),
        max_bars=Param("hold"),
    ),
)
