"""Dual thrust: two lines around the price, apart by the range of the last days."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, highest, low, lowest, maximum
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_LENGTH = Param("length")
_RANGE = maximum(
    highest(high, _LENGTH) - lowest(close, _LENGTH),
    highest(close, _LENGTH) - lowest(low, _LENGTH),
)
_UPPER = close + Param("upper_factor") * _RANGE
_LOWER = close - Param("lower_factor") * _RANGE

STRATEGY = Strategy(
    name="dual_thrust",
    version=1,
    family="breakout",
    title="Dual thrust",
    doc="A buy stop waits upper_factor ranges above the close and a sell stop lower_factor ranges below it, both moved "
    "at every close; each reverses the other side. The range is the larger of highest high less lowest close and "
    "highest close less lowest low over length bars. The original counts from the next open, which is not known yet "
    "when the orders are placed.",
    refs=("Chalek, Dual Thrust, as published in the QuantConnect strategy library",),
    params={
        "length": Int(default=4, lo=1, hi=16),
        "upper_factor": Float(default=0.5, lo=0.25, hi=1.5, step=0.05),
        "lower_factor": Float(default=0.5, lo=0.25, hi=1.5, step=0.05),
    },
    let={"upper": _UPPER, "lower": _LOWER},
    long_entry=_RANGE >= 0,
    short_entry=_RANGE >= 0,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_UPPER),
    short_order=EntryOrder(kind=OrderKind.STOP, level=_LOWER),
)
