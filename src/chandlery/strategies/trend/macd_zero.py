"""Sign of the moving average convergence divergence."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, ema
from chandlery.strategies.parameters import Int

_LINE = ema(close, Param("fast")) - ema(close, Param("slow"))

STRATEGY = Strategy(
    name="macd_zero",
    version=1,
    family="trend",
    title="MACD zero line",
    doc="Long while the MACD line (fast less slow exponential average) is above zero, out (or short) while it is "
    "below. The position of ema_cross with the same lengths, except that it does not wait for the first crossing.",
    refs=("Appel 2005, Technical Analysis: Power Tools for Active Investors",),
    params={
        "fast": Int(default=12, lo=3, hi=48),
        "slow": Int(default=26, lo=6, hi=104),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"line": _LINE},
    long_entry=_LINE > 0,
    short_entry=_LINE < 0,
)
