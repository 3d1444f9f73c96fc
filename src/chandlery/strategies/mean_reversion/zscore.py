"""Distance from the average in standard deviations."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, zscore
from chandlery.strategies.parameters import Float, Int

_ENTRY = Param("entry")
_EXIT = Param("exit")
_SCORE = zscore(close, Param("length"))

STRATEGY = Strategy(
    name="zscore",
    version=1,
    family="mean_reversion",
    title="Z-score reversion",
    doc="Buy when the close is more than entry standard deviations below its average; out when it is less than exit "
    "below it, at 0 on the average itself. Short more than entry above it, covered less than exit above it.",
    refs=("Chan 2013, Algorithmic Trading: Winning Strategies and Their Rationale, chapter 3",),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "entry": Float(default=2.0, lo=1.0, hi=6.0, step=0.25),
        "exit": Float(default=0.0, lo=-1.0, hi=1.0, step=0.25),
    },
    constraints=(_EXIT < _ENTRY,),
    let={"score": _SCORE},
    long_entry=_SCORE < -_ENTRY,
    long_exit=_SCORE > -_EXIT,
    short_entry=_SCORE > _ENTRY,
    short_exit=_SCORE < _EXIT,
)
