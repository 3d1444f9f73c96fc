"""Volatility expansion from the close."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, isna, sma, tr
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_REACH = sma(tr(), Param("length")) * Param("factor")
_UPPER = close + _REACH
_LOWER = close - _REACH
_IS_READY = ~isna(close[Param("length")])

STRATEGY = Strategy(
    name="volty_expan_close",
    version=1,
    family="breakout",
    title="Volatility expansion close",
    doc="A buy stop waits factor average true ranges above the last close and a sell stop as far below it, both moved "
    "at every close; each reverses the other side.",
    refs=("TradingView built-in Volty Expan Close Strategy",),
    params={
        "length": Int(default=5, lo=2, hi=20),
        "factor": Float(default=0.75, lo=0.4, hi=2.25, step=0.05),
    },
    let={"upper": _UPPER, "lower": _LOWER},
    long_entry=_IS_READY,
    short_entry=_IS_READY,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_UPPER),
    short_order=EntryOrder(kind=OrderKind.STOP, level=_LOWER),
)
