"""Momentum that is positive and still rising."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import change, close, high, low, mom, when
from chandlery.strategies.parameters import Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_MOMENTUM = mom(close, Param("length"))
_ACCELERATION = change(_MOMENTUM)
_RISES = (_MOMENTUM > 0) & (_ACCELERATION > 0)
_FALLS = (_MOMENTUM < 0) & (_ACCELERATION < 0)

STRATEGY = Strategy(
    name="momentum",
    version=1,
    family="momentum",
    title="Momentum",
    doc="While the change over length bars is positive and growing, a buy stop waits at the high of the bar; while it "
    "is negative and falling, a sell stop waits at the low. A stop reverses the opposite position and is cancelled as "
    "soon as its condition ends. The built-in adds one tick to the levels.",
    refs=("TradingView built-in Momentum Strategy",),
    params={"length": Int(default=12, lo=3, hi=48)},
    let={"speed": _MOMENTUM, "acceleration": _ACCELERATION},
    long_entry=_RISES,
    short_entry=_FALLS,
    long_order=EntryOrder(kind=OrderKind.STOP, level=high, cancel=~_RISES),
    # Where shorts are not traded this level closes a long position, so it stands only while the order would.
    short_order=EntryOrder(kind=OrderKind.STOP, level=when(_FALLS, low), cancel=~_FALLS),
)
