"""Flips of the Supertrend."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import change, supertrend
from chandlery.strategies.parameters import Float, Int

_DIRECTION = supertrend(Param("factor"), Param("length"))[1]
_TURN = change(_DIRECTION)

STRATEGY = Strategy(
    name="supertrend",
    version=1,
    family="trend",
    title="Supertrend",
    doc="Long when the Supertrend, a line some average true ranges below the middle of the bar that only rises, flips "
    "up because the close exceeded the falling line above price; out (or short) when it flips down.",
    refs=("TradingView built-in Supertrend Strategy",),
    params={
        "length": Int(default=10, lo=3, hi=40),
        "factor": Float(default=3.0, lo=1.5, hi=9.0, step=0.1),
    },
    let={"direction": _DIRECTION},
    long_entry=_TURN < 0,
    short_entry=_TURN > 0,
)
