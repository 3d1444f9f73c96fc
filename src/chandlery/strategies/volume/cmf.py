"""Chaikin money flow beyond a level."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import crossover, crossunder, money_flow, total, volume
from chandlery.strategies.parameters import Float, Int

_FLOW = total(money_flow(), Param("length")) / total(volume, Param("length"))

STRATEGY = Strategy(
    name="cmf",
    version=1,
    family="volume",
    title="Chaikin money flow",
    doc="Buy when the share of volume that closed in the upper half of its bars, -1 to 1 over length bars, rises "
    "through level; out, and short, when it falls through minus level.",
    refs=("Achelis 2001, Technical Analysis from A to Z",),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "level": Float(default=0.05, lo=0.0, hi=0.15, step=0.005),
    },
    let={"flow": _FLOW},
    long_entry=crossover(_FLOW, Param("level")),
    short_entry=crossunder(_FLOW, -Param("level")),
)
