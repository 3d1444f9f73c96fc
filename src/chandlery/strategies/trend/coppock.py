"""Turns of the Coppock curve."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, roc, wma
from chandlery.strategies.parameters import Int

_CURVE = wma(roc(close, Param("slow")) + roc(close, Param("fast")), Param("smoothing"))

STRATEGY = Strategy(
    name="coppock",
    version=1,
    family="trend",
    title="Coppock curve",
    doc="Long when the curve, a weighted average of the sum of two rates of change, turns up below zero; out when it "
    "turns down above zero. Coppock read it on months and only bought: the exit is the mirror of his entry, and there "
    "is no short side.",
    refs=("Coppock 1962, Barron's, 15 October",),
    params={
        "slow": Int(default=14, lo=4, hi=56),
        "fast": Int(default=11, lo=3, hi=44),
        "smoothing": Int(default=10, lo=3, hi=40),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"curve": _CURVE},
    long_entry=crossover(_CURVE, _CURVE[1]) & (_CURVE < 0),
    long_exit=crossunder(_CURVE, _CURVE[1]) & (_CURVE > 0),
)
