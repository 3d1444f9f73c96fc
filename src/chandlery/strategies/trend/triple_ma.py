"""Alignment of three simple moving averages."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, sma
from chandlery.strategies.parameters import Int

_FAST_MA = sma(close, Param("fast"))
_MIDDLE_MA = sma(close, Param("middle"))
_SLOW_MA = sma(close, Param("slow"))

STRATEGY = Strategy(
    name="triple_ma",
    version=1,
    family="trend",
    title="Triple moving average",
    doc="Long while the fast average is above the middle one and the middle one above the slow one; out as soon as the "
    "fast falls below the middle. Short while the three stand the other way round, covered when the fast rises above "
    "the middle. Flat in between.",
    refs=(
        "Allen 1974, How to Use the 4-Day, 9-Day and 18-Day Moving Averages to Earn Larger Profits from Commodities",
        "Murphy 1999, Technical Analysis of the Financial Markets",
    ),
    params={
        "fast": Int(default=4, lo=1, hi=16),
        "middle": Int(default=9, lo=3, hi=36),
        "slow": Int(default=18, lo=5, hi=72),
    },
    constraints=(Param("fast") < Param("middle"), Param("middle") < Param("slow")),
    let={"fast_ma": _FAST_MA, "middle_ma": _MIDDLE_MA, "slow_ma": _SLOW_MA},
    long_entry=(_FAST_MA > _MIDDLE_MA) & (_MIDDLE_MA > _SLOW_MA),
    long_exit=_FAST_MA < _MIDDLE_MA,
    short_entry=(_FAST_MA < _MIDDLE_MA) & (_MIDDLE_MA < _SLOW_MA),
    short_exit=_FAST_MA > _MIDDLE_MA,
)
