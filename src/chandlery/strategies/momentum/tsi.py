"""True strength index through its signal line."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, ema, tsi
from chandlery.strategies.parameters import Int

_TSI = tsi(close, Param("short"), Param("long"))
_SIGNAL_LINE = ema(_TSI, Param("smoothing"))

STRATEGY = Strategy(
    name="tsi",
    version=1,
    family="momentum",
    title="True strength index",
    doc="Buy when the double-smoothed momentum crosses above its own average; out, and short, when it crosses below.",
    refs=("Blau 1995, Momentum, Direction, and Divergence",),
    params={
        "long": Int(default=25, lo=7, hi=97, step=3),
        "short": Int(default=13, lo=4, hi=52, step=3),
        "smoothing": Int(default=13, lo=4, hi=52, step=3),
    },
    constraints=(Param("short") < Param("long"),),
    let={"strength": _TSI, "signal_line": _SIGNAL_LINE},
    long_entry=crossover(_TSI, _SIGNAL_LINE),
    short_entry=crossunder(_TSI, _SIGNAL_LINE),
)
