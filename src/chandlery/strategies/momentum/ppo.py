"""Percentage price oscillator through its signal line."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, ema, ppo
from chandlery.strategies.parameters import Int

_PPO = ppo(close, Param("fast"), Param("slow"))
_SIGNAL_LINE = ema(_PPO, Param("smoothing"))

STRATEGY = Strategy(
    name="ppo",
    version=1,
    family="momentum",
    title="Percentage price oscillator",
    doc="Buy when the gap between two exponential averages, in percent of the slower, crosses above its average; out, "
    "and short, when it crosses below. The MACD with a scale that does not depend on the price.",
    refs=("Appel 2005, Technical Analysis: Power Tools for Active Investors",),
    params={
        "fast": Int(default=12, lo=3, hi=48, step=3),
        "slow": Int(default=26, lo=8, hi=104, step=3),
        "smoothing": Int(default=9, lo=3, hi=36, step=3),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"oscillator": _PPO, "signal_line": _SIGNAL_LINE},
    long_entry=crossover(_PPO, _SIGNAL_LINE),
    short_entry=crossunder(_PPO, _SIGNAL_LINE),
)
