"""New high of the year."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, highest, low, lowest
from chandlery.strategies.parameters import Float, Int

_HIGH = highest(high, Param("length"))
_LOW = lowest(low, Param("length"))
_LONG_OUT = _HIGH * (1 - Param("drop") / 100)
_SHORT_OUT = _LOW * (1 + Param("drop") / 100)

STRATEGY = Strategy(
    name="high_52w",
    version=1,
    family="breakout",
    title="52-week high",
    doc="Buy when the close exceeds the highest high of the previous length bars (252 daily bars, a year); out when it "
    "is more than drop percent below the highest high. Short below the lowest low of the previous length bars, covered "
    "more than drop percent above the lowest low. The paper ranks shares by nearness to the high; this trades one.",
    refs=("George, Hwang 2004, The 52-Week High and Momentum Investing, Journal of Finance 59",),
    params={
        "length": Int(default=252, lo=63, hi=1008, step=21),
        "drop": Float(default=20.0, lo=10.0, hi=60.0, step=2.5),
    },
    let={"year_high": _HIGH, "year_low": _LOW, "long_out": _LONG_OUT, "short_out": _SHORT_OUT},
    long_entry=close > _HIGH[1],
    long_exit=close < _LONG_OUT,
    short_entry=close < _LOW[1],
    short_exit=close > _SHORT_OUT,
)
