"""Place of the close within the Bollinger bands."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import bb, close
from chandlery.strategies.parameters import Float, Int

_LOW_LEVEL = Param("low_level")
_HIGH_LEVEL = Param("high_level")
_MIDDLE, _UPPER, _LOWER = bb(close, Param("length"), Param("factor"))
_PLACE = (close - _LOWER) / (_UPPER - _LOWER)

STRATEGY = Strategy(
    name="percent_b",
    version=1,
    family="mean_reversion",
    title="Percent b",
    doc="Buy while %b, 0 at the lower and 1 at the upper Bollinger band, is below low_level; out, and short, while it "
    "is above high_level.",
    refs=("Bollinger 2001, Bollinger on Bollinger Bands",),
    params={
        "length": Int(default=20, lo=5, hi=80, step=5),
        "factor": Float(default=2.0, lo=1.0, hi=6.0, step=0.5),
        "low_level": Float(default=0.0, lo=-0.25, hi=0.25, step=0.05),
        "high_level": Float(default=1.0, lo=0.75, hi=1.25, step=0.05),
    },
    let={"upper": _UPPER, "lower": _LOWER, "place": _PLACE},
    long_entry=_PLACE < _LOW_LEVEL,
    short_entry=_PLACE > _HIGH_LEVEL,
)
