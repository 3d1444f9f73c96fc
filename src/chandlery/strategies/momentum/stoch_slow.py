"""Crossing of the slow stochastic lines at the extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, high, low, sma, stoch
from chandlery.strategies.parameters import Float, Int

_OVERSOLD = Param("oversold")
_OVERBOUGHT = Param("overbought")
_K = sma(stoch(close, high, low, Param("length")), Param("smooth_k"))
_D = sma(_K, Param("smooth_d"))

STRATEGY = Strategy(
    name="stoch_slow",
    version=1,
    family="momentum",
    title="Slow stochastic",
    doc="Buy when %K crosses above %D below the oversold level; out, and short, when %K crosses below %D above the "
    "overbought level. Always in the market on one side once it has started.",
    refs=(
        "TradingView built-in Stochastic Slow Strategy",
        "Lane 1984, Lane's Stochastics, Technical Analysis of Stocks & Commodities 2",
    ),
    params={
        "length": Int(default=14, lo=4, hi=56, step=2),
        "smooth_k": Int(default=3, lo=1, hi=9, step=2),
        "smooth_d": Int(default=3, lo=1, hi=9, step=2),
        "oversold": Float(default=20.0, lo=10.0, hi=30.0, step=5.0),
        "overbought": Float(default=80.0, lo=70.0, hi=90.0, step=5.0),
    },
    let={"k": _K, "d": _D},
    long_entry=crossover(_K, _D) & (_K < _OVERSOLD),
    short_entry=crossunder(_K, _D) & (_K > _OVERBOUGHT),
)
