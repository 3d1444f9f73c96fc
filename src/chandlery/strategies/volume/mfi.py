"""Return of the money flow index from its extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import crossover, crossunder, hlc3, mfi
from chandlery.strategies.parameters import Float, Int

_MFI = mfi(hlc3, Param("length"))

STRATEGY = Strategy(
    name="mfi",
    version=1,
    family="volume",
    title="Money flow index",
    doc="Buy when the RSI weighted by volume rises back above oversold; out, and short, when it falls back below "
    "overbought.",
    refs=("Quong, Soudack 1989, Volume-Weighted RSI: Money Flow, Technical Analysis of Stocks & Commodities 7",),
    params={
        "length": Int(default=14, lo=4, hi=56),
        "oversold": Float(default=20.0, lo=10.0, hi=30.0, step=1.0),
        "overbought": Float(default=80.0, lo=70.0, hi=90.0, step=1.0),
    },
    let={"money_strength": _MFI},
    long_entry=crossover(_MFI, Param("oversold")),
    short_entry=crossunder(_MFI, Param("overbought")),
)
