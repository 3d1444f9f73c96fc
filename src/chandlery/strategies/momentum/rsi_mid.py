"""Relative strength index through its middle."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, rsi
from chandlery.strategies.parameters import Float, Int

_RSI = rsi(close, Param("length"))

STRATEGY = Strategy(
    name="rsi_mid",
    version=1,
    family="momentum",
    title="RSI midline",
    doc="Buy when the RSI rises through the middle level, where average gains exceed average losses; out, and short, "
    "when it falls through it.",
    refs=("Wilder 1978, New Concepts in Technical Trading Systems",),
    params={
        "length": Int(default=14, lo=4, hi=56),
        "middle": Float(default=50.0, lo=25.0, hi=75.0, step=1.0),
    },
    let={"strength": _RSI},
    long_entry=crossover(_RSI, Param("middle")),
    short_entry=crossunder(_RSI, Param("middle")),
)
