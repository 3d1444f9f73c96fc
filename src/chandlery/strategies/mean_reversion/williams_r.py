"""Return of Williams' percent range from its extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import crossover, crossunder, wpr
from chandlery.strategies.parameters import Float, Int

_RANGE = wpr(Param("length"))

STRATEGY = Strategy(
    name="williams_r",
    version=1,
    family="mean_reversion",
    title="Williams %R",
    doc="Buy when %R rises back above the oversold level; out, and short, when it falls back below the overbought "
    "level. %R is 0 at the highest high of length bars and -100 at the lowest low.",
    refs=("Williams 1979, How I Made One Million Dollars Last Year Trading Commodities",),
    params={
        "length": Int(default=14, lo=4, hi=56),
        "oversold": Float(default=-80.0, lo=-90.0, hi=-70.0, step=2.0),
        "overbought": Float(default=-20.0, lo=-30.0, hi=-10.0, step=2.0),
    },
    let={"percent_range": _RANGE},
    long_entry=crossover(_RANGE, Param("oversold")),
    short_entry=crossunder(_RANGE, Param("overbought")),
)
