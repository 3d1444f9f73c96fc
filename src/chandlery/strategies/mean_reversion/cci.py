"""Return of the commodity channel index from its extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import cci, crossover, crossunder, hlc3
from chandlery.strategies.parameters import Float, Int

_CCI = cci(hlc3, Param("length"))

STRATEGY = Strategy(
    name="cci",
    version=1,
    family="mean_reversion",
    title="CCI reversion",
    doc="Buy when the CCI of the typical price rises back above minus level; out, and short, when it falls back below "
    "level. Its author bought strength beyond the level; this is the later, opposite use.",
    refs=("Lambert 1980, Commodity Channel Index: Tool for Trading Cyclic Trends, Commodities 9",),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "level": Float(default=100.0, lo=50.0, hi=150.0, step=10.0),
    },
    let={"index": _CCI},
    long_entry=crossover(_CCI, -Param("level")),
    short_entry=crossunder(_CCI, Param("level")),
)
