"""Part of the week."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import dayofweek, where
from chandlery.strategies.parameters import Int

_LATER = dayofweek - Param("buy")
_SINCE_BUY = where(_LATER < 0, _LATER + 7, _LATER)
_DAYS = Param("days")

STRATEGY = Strategy(
    name="day_of_week",
    version=1,
    family="calendar",
    title="Day of the week",
    doc="Bought at the close of one day of the week (counted from 1, Sunday), or of the first bar after it where that "
    "is a holiday, and sold at the first close at least days calendar days later than that day; both fill at the next "
    "open. By default bought at the close of Monday and sold at that of Friday: out while Monday trades. No short "
    "side.",
    refs=(
        "Cross 1973, The Behavior of Stock Prices on Fridays and Mondays",
        "French 1980, Stock Returns and the Weekend Effect",
    ),
    params={
        "buy": Int(default=2, lo=1, hi=7),
        "days": Int(default=4, lo=1, hi=6),
    },
    let={"days_since_buy": _SINCE_BUY},
    long_entry=_SINCE_BUY < _DAYS,
    long_exit=_SINCE_BUY >= _DAYS,
)
