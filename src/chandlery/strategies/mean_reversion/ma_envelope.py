"""Envelope at a fixed percentage around an average."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, sma
from chandlery.strategies.parameters import Float, Int

_MIDDLE = sma(close, Param("length"))
_UPPER = _MIDDLE * (1 + Param("percent") / 100)
_LOWER = _MIDDLE * (1 - Param("percent") / 100)

STRATEGY = Strategy(
    name="ma_envelope",
    version=1,
    family="mean_reversion",
    title="Moving average envelope",
    doc="Buy when the close is more than percent below its average; out when it is back above the average. Short more "
    "than percent above, covered back below the average.",
    refs=("Murphy 1999, Technical Analysis of the Financial Markets, chapter 9",),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "percent": Float(default=2.5, lo=1.25, hi=7.5, step=0.25),
    },
    let={"middle": _MIDDLE, "upper": _UPPER, "lower": _LOWER},
    long_entry=close < _LOWER,
    long_exit=close > _MIDDLE,
    short_entry=close > _UPPER,
    short_exit=close < _MIDDLE,
)
