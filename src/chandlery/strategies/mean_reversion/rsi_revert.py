"""Return of the relative strength index from its extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, rsi
from chandlery.strategies.parameters import Float, Int

_RSI = rsi(close, Param("length"))

STRATEGY = Strategy(
    name="rsi_revert",
    version=1,
    family="mean_reversion",
    title="RSI reversion",
    doc="Long when the RSI crosses back above the oversold level, out (or short) when it crosses back below the "
    "overbought level.",
    refs=("TradingView built-in RSI Strategy", "Wilder 1978"),
    params={
        "length": Int(default=14, lo=4, hi=56),
        "oversold": Float(default=30.0, lo=15.0, hi=45.0, step=1.0),
        "overbought": Float(default=70.0, lo=55.0, hi=95.0, step=1.0),
    },
    constraints=(Param("oversold") < Param("overbought"),),
    let={"strength": _RSI},
    long_entry=crossover(_RSI, Param("oversold")),
    long_exit=crossunder(_RSI, Param("overbought")),
    short_entry=crossunder(_RSI, Param("overbought")),
    short_exit=crossover(_RSI, Param("oversold")),
)
