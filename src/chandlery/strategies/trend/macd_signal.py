"""Crossing of the moving average convergence divergence and its signal line."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, macd
from chandlery.strategies.parameters import Int

_LINE, _SIGNAL, _ = macd(close, Param("fast"), Param("slow"), Param("smoothing"))

STRATEGY = Strategy(
    name="macd_signal",
    version=1,
    family="trend",
    title="MACD signal crossing",
    doc="Long when the MACD line (fast less slow exponential average) crosses above its own exponential average, out "
    "(or short) when it crosses below.",
    refs=(
        "TradingView built-in MACD Strategy",
        "Appel 1979, The Moving Average Convergence-Divergence Method",
    ),
    params={
        "fast": Int(default=12, lo=3, hi=48),
        "slow": Int(default=26, lo=6, hi=104, step=2),
        "smoothing": Int(default=9, lo=2, hi=36),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"line": _LINE, "signal": _SIGNAL},
    long_entry=crossover(_LINE, _SIGNAL),
    short_entry=crossunder(_LINE, _SIGNAL),
)
