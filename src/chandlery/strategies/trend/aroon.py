"""Age of the last extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import aroon
from chandlery.strategies.parameters import Float, Int

_UP, _DOWN = aroon(Param("length"))
_STRONG, _WEAK = Param("strong"), Param("weak")

STRATEGY = Strategy(
    name="aroon",
    version=1,
    family="trend",
    title="Aroon",
    doc="Long when Aroon up is above the strong level and Aroon down below the weak one: the high of the last bars is "
    "recent, the low is old. Out when Aroon down rises above Aroon up. Short the other way round.",
    refs=("Chande 1995, A Time Price Oscillator",),
    params={
        "length": Int(default=25, lo=6, hi=100),
        "strong": Float(default=70.0, lo=35.0, hi=95.0, step=5.0),
        "weak": Float(default=30.0, lo=15.0, hi=45.0, step=5.0),
    },
    constraints=(_WEAK < _STRONG,),
    let={"up": _UP, "down": _DOWN},
    long_entry=(_UP > _STRONG) & (_DOWN < _WEAK),
    long_exit=_DOWN > _UP,
    short_entry=(_DOWN > _STRONG) & (_UP < _WEAK),
    short_exit=_UP > _DOWN,
)
