"""Reversion of the spread of two symbols."""

from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import absolute, close, leg, ols_slope, ols_zscore
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.portfolios import Pair

_first, _second = leg(close, 0), leg(close, 1)
_hedge = ols_slope(_first, _second, Param("length"))
_zscore = ols_zscore(_first, _second, Param("length"))
_back = absolute(_zscore) < Param("leave")

STRATEGY = Pair(
    name="pairs_zscore",
    version=1,
    family="multi_asset",
    title="Pair by the z-score of its residual",
    doc="Short the first symbol against the second when its price stands far above the rolling least-squares line "
    "on the second, long when far below, out when it is back near the line.",
    refs=("Gatev, Goetzmann, Rouwenhorst 2006", "Vidyamurthy 2004", "Avellaneda, Lee 2010"),
    params={
        "length": Int(default=252, lo=63, hi=1008, step=21),
        "enter": Float(default=2.0, lo=1.0, hi=3.0, step=0.25),
        "leave": Float(default=0.5, lo=0.25, hi=0.75, step=0.25),
    },
    constraints=(Param("leave") < Param("enter"),),
    let={"hedge": _hedge, "zscore": _zscore},
    hedge=_hedge,
    long_entry=_zscore < -Param("enter"),
    long_exit=_back | (_zscore > 0),
    short_entry=_zscore > Param("enter"),
    short_exit=_back | (_zscore < 0),
)
