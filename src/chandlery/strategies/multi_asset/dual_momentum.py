"""Relative and absolute momentum."""

from chandlery.strategies.expressions import Const, Param
from chandlery.strategies.operations import close, new_month
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.portfolios import Rotation, Top, TopKind

_gain = close / close[Param("lookback")] - Const(1.0)

STRATEGY = Rotation(
    name="dual_momentum",
    version=1,
    family="multi_asset",
    title="Dual momentum",
    doc="Every month the symbols with the best return of the last twelve months, each only while that return is "
    "above a hurdle, which stands for the return of bills; else cash.",
    refs=("Antonacci 2014", "Antonacci 2012"),
    params={
        "lookback": Int(default=252, lo=63, hi=504, step=21),
        "count": Int(default=1, lo=1, hi=4),
        "hurdle": Float(default=0.0, lo=0.0, hi=0.06, step=0.01),
    },
    let={"momentum": _gain},
    rebalance=new_month,
    score=_gain,
    top=Top(TopKind.COUNT, Param("count")),
    keep=_gain > Param("hurdle"),
)
