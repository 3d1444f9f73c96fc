"""Rate of change through zero."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, roc
from chandlery.strategies.parameters import Float, Int

_SPEED = roc(close, Param("length"))

STRATEGY = Strategy(
    name="roc",
    version=1,
    family="momentum",
    title="Rate of change",
    doc="Buy when the change over length bars rises through threshold percent; out when it falls through zero. Short "
    "when it falls through minus threshold, covered when it rises through zero.",
    refs=("Murphy 1999, Technical Analysis of the Financial Markets, chapter 10",),
    params={
        "length": Int(default=12, lo=3, hi=48),
        "threshold": Float(default=0.0, lo=0.0, hi=10.0, step=0.5),
    },
    let={"speed": _SPEED},
    long_entry=crossover(_SPEED, Param("threshold")),
    long_exit=crossunder(_SPEED, 0),
    short_entry=crossunder(_SPEED, -Param("threshold")),
    short_exit=crossover(_SPEED, 0),
)
