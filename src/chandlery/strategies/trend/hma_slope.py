"""Direction of the Hull moving average."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, hma
from chandlery.strategies.parameters import Int

_AVERAGE = hma(close, Param("length"))
_BEFORE = _AVERAGE[1]

STRATEGY = Strategy(
    name="hma_slope",
    version=1,
    family="trend",
    title="Slope of the Hull moving average",
    doc="Long while the Hull moving average is above its value of the bar before, out (or short) while it is below.",
    refs=("Hull 2005, How to Reduce Lag in a Moving Average",),
    params={"length": Int(default=55, lo=14, hi=220)},
    let={"average": _AVERAGE},
    long_entry=_AVERAGE > _BEFORE,
    short_entry=_AVERAGE < _BEFORE,
)
