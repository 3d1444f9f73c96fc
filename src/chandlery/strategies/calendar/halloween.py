"""The winter half of the year."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import month
from chandlery.strategies.parameters import Int

_IS_WINTER = (month >= Param("first")) | (month <= Param("last"))

STRATEGY = Strategy(
    name="halloween",
    version=1,
    family="calendar",
    title="Halloween indicator",
    doc="Long from November to April, out from May to October: bought after the first bar of the first month, sold "
    "after the first bar of the month that follows the last. No short side.",
    refs=("Bouman, Jacobsen 2002, The Halloween Indicator, Sell in May and Go Away: Another Puzzle",),
    params={
        "first": Int(default=11, lo=8, hi=12),
        "last": Int(default=4, lo=1, hi=7),
    },
    let={"is_winter": _IS_WINTER},
    long_entry=_IS_WINTER,
    long_exit=~_IS_WINTER,
)
