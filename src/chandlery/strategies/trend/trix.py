"""Crossing of the TRIX and its signal line."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, ema, trix
from chandlery.strategies.parameters import Int

_TRIX = trix(close, Param("length"))
_SIGNAL = ema(_TRIX, Param("smoothing"))

STRATEGY = Strategy(
    name="trix",
    version=1,
    family="trend",
    title="TRIX signal crossing",
    doc="Long when the TRIX, the rate of change of a triple exponential average, crosses above its own exponential "
    "average, out (or short) when it crosses below.",
    refs=("Hutson 1983, Good TRIX",),
    params={
        "length": Int(default=15, lo=4, hi=60),
        "smoothing": Int(default=9, lo=2, hi=36),
    },
    let={"trix": _TRIX, "signal": _SIGNAL},
    long_entry=crossover(_TRIX, _SIGNAL),
    short_entry=crossunder(_TRIX, _SIGNAL),
)
