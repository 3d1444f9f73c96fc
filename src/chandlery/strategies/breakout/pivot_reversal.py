"""Stop and reverse at the last pivots."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import high, isna, latch, low, pivothigh, pivotlow, valuewhen, when
from chandlery.strategies.parameters import Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_PEAK = pivothigh(high, Param("left"), Param("right"))
_TROUGH = pivotlow(low, Param("left"), Param("right"))
_TOP = valuewhen(~isna(_PEAK), _PEAK)
_BOTTOM = valuewhen(~isna(_TROUGH), _TROUGH)
# A level is spent once price has reached it, until there is a new pivot.
_BUYS = latch(~isna(_PEAK), high >= _TOP)
_SELLS = latch(~isna(_TROUGH), low <= _BOTTOM)

STRATEGY = Strategy(
    name="pivot_reversal",
    version=1,
    family="breakout",
    title="Pivot reversal",
    doc="A buy stop waits at the last pivot high (above left bars before it and right bars after it) until price "
    "reaches it; a sell stop at the last pivot low. Each reverses the other side. The built-in adds one tick to the "
    "levels.",
    refs=("TradingView built-in Pivot Reversal Strategy",),
    params={
        "left": Int(default=4, lo=1, hi=16),
        "right": Int(default=2, lo=1, hi=8),
    },
    let={"top": _TOP, "bottom": _BOTTOM},
    long_entry=_BUYS,
    short_entry=_SELLS,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_TOP),
    # Where shorts are not traded this level closes a long position, so it stands only while the order would.
    short_order=EntryOrder(kind=OrderKind.STOP, level=when(_SELLS, _BOTTOM)),
)
