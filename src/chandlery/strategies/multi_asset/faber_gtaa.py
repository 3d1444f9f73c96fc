"""Tactical asset allocation by a moving average."""

from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, new_month, sma
from chandlery.strategies.parameters import Int
from chandlery.strategies.portfolios import Rotation

_AVERAGE = sma(close, Param("length"))

STRATEGY = Rotation(
    name="faber_gtaa",
    version=1,
    family="multi_asset",
    title="Tactical asset allocation",
    doc="Every month an equal share of the money in every symbol above its average of ten months; the share of a "
    "symbol below it stays in cash.",
    refs=("Faber 2007",),
    params={"length": Int(default=210, lo=42, hi=840, step=21)},
    let={"average": _AVERAGE},
    rebalance=new_month,
    # Ranks nothing, as all are selected: it leaves out a symbol whose average is not defined yet.
    score=_AVERAGE,
    keep=close > _AVERAGE,
)
