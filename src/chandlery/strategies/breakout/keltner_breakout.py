"""Follow-through after a close outside the Keltner channel."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import (
    atr,
    close,
    crossover,
    crossunder,
    ema,
    high,
    latch,
    low,
    valuewhen,
    when,
)
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_MIDDLE = ema(close, Param("length"))
_REACH = Param("factor") * atr(Param("atr_length"))
_UPPER = _MIDDLE + _REACH
_LOWER = _MIDDLE - _REACH
_BREAKS_UP = crossover(close, _UPPER)
_BREAKS_DOWN = crossunder(close, _LOWER)
_BUY_LEVEL = valuewhen(_BREAKS_UP, high)
_SELL_LEVEL = valuewhen(_BREAKS_DOWN, low)
_BUY_IS_OVER = ((close < _MIDDLE) | (high >= _BUY_LEVEL)) & ~_BREAKS_UP
_SELL_IS_OVER = ((close > _MIDDLE) | (low <= _SELL_LEVEL)) & ~_BREAKS_DOWN

STRATEGY = Strategy(
    name="keltner_breakout",
    version=1,
    family="breakout",
    title="Keltner breakout",
    doc="When the close crosses above the upper line, a buy stop is placed at the high of that bar; when it crosses "
    "below the lower line, a sell stop at the low. A stop reverses the opposite position and is cancelled by a close "
    "beyond the middle line. The built-in adds one tick to the levels.",
    refs=("TradingView built-in Keltner Channels Strategy", "Keltner 1960, How To Make Money in Commodities"),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "factor": Float(default=2.0, lo=1.0, hi=6.0, step=0.25),
        "atr_length": Int(default=10, lo=2, hi=40, step=2),
    },
    let={"middle": _MIDDLE, "upper": _UPPER, "lower": _LOWER},
    long_entry=_BREAKS_UP,
    short_entry=_BREAKS_DOWN,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_BUY_LEVEL, cancel=_BUY_IS_OVER),
    short_order=EntryOrder(
        kind=OrderKind.STOP,
        # Where shorts are not traded this level closes a long position, so it stands only while the order would.
        level=when(latch(_BREAKS_DOWN, _SELL_IS_OVER), _SELL_LEVEL),
        cancel=_SELL_IS_OVER,
    ),
)
