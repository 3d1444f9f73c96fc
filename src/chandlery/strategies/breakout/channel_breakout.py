"""Stop and reverse at the edges of the price channel."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, highest, isna, low, lowest
from chandlery.strategies.parameters import Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_UPPER = highest(high, Param("length"))
_LOWER = lowest(low, Param("length"))

STRATEGY = Strategy(
    name="channel_breakout",
    version=1,
    family="breakout",
    title="Channel breakout",
    doc="A buy stop waits at the highest high of length bars and a sell stop at the lowest low, both moved at every "
    "close; each reverses the other side. The built-in adds one tick to the levels.",
    refs=("TradingView built-in ChannelBreakOutStrategy", "Donchian 1960, High Finance in Copper"),
    params={"length": Int(default=5, lo=2, hi=20)},
    let={"upper": _UPPER, "lower": _LOWER},
    # The built-in waits one bar longer with the long side. Its short side also sells at the market on the first bars,
    # where its level is na; here an order without a level is not placed.
    long_entry=~isna(close[Param("length")]),
    short_entry=~isna(_LOWER),
    long_order=EntryOrder(kind=OrderKind.STOP, level=_UPPER),
    short_order=EntryOrder(kind=OrderKind.STOP, level=_LOWER),
)
