"""The days around the turn of the month."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import (
    cum_since,
    dayofmonth,
    dayofweek,
    eq,
    floor,
    maximum,
    minimum,
    month,
    new_day,
    new_month,
    where,
    year,
)
from chandlery.strategies.parameters import Int

_IS_LEAP_YEAR = eq(year % 4, 0) & (~eq(year % 100, 0) | eq(year % 400, 0))
_DAYS_IN_MONTH = where(eq(month, 2), where(_IS_LEAP_YEAR, 29, 28), 30 + (month + floor(month / 8)) % 2)
_DAYS_LEFT = _DAYS_IN_MONTH - dayofmonth
_ODD_DAYS = _DAYS_LEFT % 7
# Saturday is day 7 of the week and Sunday day 8: how many of the two lie in the odd days after this one.
_WEEKEND = minimum(maximum(dayofweek + _ODD_DAYS - 6, 0), 2) - floor(dayofweek / 7)
_WEEKDAYS_LEFT = floor(_DAYS_LEFT / 7) * 5 + _ODD_DAYS - _WEEKEND
_TRADING_DAY = cum_since(where(new_day, 1, 0), new_month)
_BEFORE, _AFTER = Param("before"), Param("after")

STRATEGY = Strategy(
    name="turn_of_month",
    version=1,
    family="calendar",
    title="Turn of the month",
    doc="For daily bars. Bought at the close after which before weekdays are left in the month (1: filled at the open "
    "of the last trading day), sold at the close of trading day after of the next month, filled at the open that "
    "follows. Weekdays left are counted from the date alone, so where holidays fall on them it buys that much later; "
    "the days of the new month are the bars that have come. No short side.",
    refs=(
        "Ariel 1987, A Monthly Effect in Stock Returns",
        "Lakonishok, Smidt 1988, Are Seasonal Anomalies Real? A Ninety-Year Perspective",
        "McConnell, Xu 2008, Equity Returns at the Turn of the Month",
    ),
    params={
        "before": Int(default=1, lo=0, hi=4),
        "after": Int(default=3, lo=1, hi=12),
    },
    let={"weekdays_left": _WEEKDAYS_LEFT, "trading_day": _TRADING_DAY},
    long_entry=_WEEKDAYS_LEFT <= _BEFORE,
    long_exit=(_TRADING_DAY >= _AFTER) & (_WEEKDAYS_LEFT > _BEFORE),
)
