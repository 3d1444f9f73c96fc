"""Slope of the least-squares line."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, linreg
from chandlery.strategies.parameters import Int

_SLOPE = linreg(close, Param("length")) - linreg(close, Param("length"), 1)

STRATEGY = Strategy(
    name="linreg_slope",
    version=1,
    family="trend",
    title="Slope of the regression line",
    doc="Long while the least-squares line through the last closes rises, out (or short) while it falls.",
    refs=("Chande, Kroll 1994, The New Technical Trader",),
    params={"length": Int(default=20, lo=5, hi=80)},
    let={"slope": _SLOPE},
    long_entry=_SLOPE > 0,
    short_entry=_SLOPE < 0,
)
