"""Trends under widening ranges."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, ema, high, low, roc
from chandlery.strategies.parameters import Int

_VOLATILITY = roc(ema(high - low, Param("length")), Param("change"))
_AVERAGE = ema(close, Param("length"))
_IS_WIDENING = _VOLATILITY > 0

STRATEGY = Strategy(
    name="chaikin_vol",
    version=1,
    family="volatility",
    title="Chaikin volatility",
    doc="Long when the close is above its exponential average while Chaikin's volatility, the rate of change of the "
    "average range, is above zero: price moves and its bars widen. Out when the close falls below the average. Short "
    "when it is below the average while ranges widen, covered when it rises above.",
    refs=("Achelis 1995, Technical Analysis from A to Z, the indicator; the rule on its direction is ours",),
    params={
        "length": Int(default=10, lo=3, hi=40),
        "change": Int(default=10, lo=3, hi=40),
    },
    let={"volatility": _VOLATILITY, "average": _AVERAGE},
    long_entry=(close > _AVERAGE) & _IS_WIDENING,
    long_exit=close < _AVERAGE,
    short_entry=(close < _AVERAGE) & _IS_WIDENING,
    short_exit=close > _AVERAGE,
)
