"""Sessions as milliseconds: where a symbol's day begins, as vendors count time."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from chandlery.market.calendar import ZONES
from chandlery.market.symbols import asset_class_of, calendar_of


def zone_of(symbol: str) -> str:
    """Return the time zone whose dates are the symbol's sessions: UTC for crypto, else New York."""
    return ZONES[calendar_of(asset_class_of(symbol))]


def local_midnight(day: date, symbol: str) -> int:
    """Return the milliseconds since the epoch at which `day` begins where the symbol trades."""
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone_of(symbol)))
    return round(moment.timestamp() * 1000)
