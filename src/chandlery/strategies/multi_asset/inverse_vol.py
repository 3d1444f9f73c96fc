"""Weights by inverse volatility."""

from chandlery.strategies.expressions import Const, Param
from chandlery.strategies.operations import close, new_month, stdev
from chandlery.strategies.parameters import Int
from chandlery.strategies.portfolios import Rotation

_VOLATILITY = stdev(close / close[1] - Const(1.0), Param("length"))

STRATEGY = Rotation(
    name="inverse_vol",
    version=1,
    family="multi_asset",
    title="Inverse volatility",
    doc="Every month all symbols, weighted by the inverse of the volatility of their daily returns.",
    refs=("Maillard, Roncalli, Teiletche 2010", "Kirby, Ostdiek 2012"),
    params={"length": Int(default=63, lo=21, hi=252, step=21)},
    let={"volatility": _VOLATILITY},
    rebalance=new_month,
    risk=_VOLATILITY,
)
