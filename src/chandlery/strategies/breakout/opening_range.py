"""Breakout of the range of the first half hour."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import (
    barssince,
    eq,
    high,
    highest,
    latch,
    low,
    lowest,
    minute_of_day,
    new_day,
    valuewhen,
)
from chandlery.strategies.parameters import Int
from chandlery.strategies.rules import Basis, Bracket, Distance, EntryOrder, OrderKind, Session

_BARS = Param("bars")
_OPEN, _LAST_ENTRY = 570, 930
_OPENS = (minute_of_day >= _OPEN) & ((minute_of_day[1] < _OPEN) | new_day)
_AGE = barssince(_OPENS)
_IS_COMPLETE = eq(_AGE, _BARS - 1)
_TOP = valuewhen(_IS_COMPLETE, highest(high, _BARS))
_BOTTOM = valuewhen(_IS_COMPLETE, lowest(low, _BARS))
_IS_BROKEN = latch((_AGE >= _BARS) & ((high >= _TOP) | (low <= _BOTTOM)), _OPENS)
_WAITS = (_AGE >= _BARS - 1) & ~_IS_BROKEN & (minute_of_day < _LAST_ENTRY)

STRATEGY = Strategy(
    name="opening_range",
    version=1,
    family="breakout",
    title="Opening range breakout",
    doc="After the first bars bars from 9:30 of the exchange's time, 30 minutes of one-minute bars, a buy stop waits "
    "at their high and a sell stop at their low; the first to fill cancels the other, so there is one trade a day. It "
    "is closed at the opposite end of the range, or once it is 15:30. For bars of 15 minutes or less; daily bars never "
    "trade.",
    refs=("Crabel 1990, Day Trading with Short Term Price Patterns and Opening Range Breakout",),
    params={"bars": Int(default=30, lo=2, hi=120)},
    let={"top": _TOP, "bottom": _BOTTOM},
    long_entry=_WAITS,
    short_entry=_WAITS,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_TOP, cancel=~_WAITS),
    short_order=EntryOrder(kind=OrderKind.STOP, level=_BOTTOM, cancel=~_WAITS),
    one_cancels_other=True,
    long_bracket=Bracket(stop=Distance(value=_BOTTOM, basis=Basis.PRICE)),
    short_bracket=Bracket(stop=Distance(value=_TOP, basis=Basis.PRICE)),
    session=Session(start=_OPEN, end=_LAST_ENTRY, is_flat_outside=True),
)
