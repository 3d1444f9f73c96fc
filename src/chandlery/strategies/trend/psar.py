"""Reversals at the parabolic stop."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, sar, sar_next
from chandlery.strategies.parameters import Float
from chandlery.strategies.rules import EntryOrder, OrderKind

_SPEED = (Param("start"), Param("step"), Param("top"))
_LINE = sar(*_SPEED)
_NEXT = sar_next(*_SPEED)
_IS_UP, _IS_DOWN = close > _LINE, close < _LINE

STRATEGY = Strategy(
    name="psar",
    version=1,
    family="trend",
    title="Parabolic stop and reverse",
    doc="While the parabolic line is above price, a stop order to buy waits where the line will be on the next bar; "
    "while it is below, one to sell short. The order moves with the line at every close and is cancelled when the "
    "line changes sides, so each fill reverses the position; long only, the sell stop closes it. Each new extreme "
    "speeds the line up by step, from start to top.",
    refs=(
        "TradingView built-in Parabolic SAR Strategy",
        "Wilder 1978, New Concepts in Technical Trading Systems",
    ),
    params={
        "start": Float(default=0.02, lo=0.01, hi=0.06, step=0.005),
        "step": Float(default=0.02, lo=0.01, hi=0.06, step=0.005),
        "top": Float(default=0.2, lo=0.1, hi=0.6, step=0.02),
    },
    constraints=(Param("start") <= Param("top"),),
    let={"line": _LINE, "next_line": _NEXT},
    long_entry=_IS_DOWN,
    short_entry=_IS_UP,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_NEXT, cancel=_IS_UP),
    short_order=EntryOrder(kind=OrderKind.STOP, level=_NEXT, cancel=_IS_DOWN),
)
