"""On-balance volume through its average."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import crossover, crossunder, obv, sma
from chandlery.strategies.parameters import Int

_OBV = obv()
_AVERAGE = sma(_OBV, Param("length"))

STRATEGY = Strategy(
    name="obv_cross",
    version=1,
    family="volume",
    title="On-balance volume crossing",
    doc="Buy when on-balance volume crosses above its average of length bars; out, and short, when it crosses below.",
    refs=("Granville 1963, Granville's New Key to Stock Market Profits",),
    params={"length": Int(default=20, lo=5, hi=80)},
    let={"balance": _OBV, "average": _AVERAGE},
    long_entry=crossover(_OBV, _AVERAGE),
    short_entry=crossunder(_OBV, _AVERAGE),
)
