"""Market days: one session of one symbol or of all, as grouped daily, previous close and open-close tell it."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources.sessions import local_midnight, zone_of
from chandlery.sources.standin.adjustment import adjusted
from chandlery.sources.standin.holdings import Holdings

_CLOSE = time(16)
_OPEN = time(9, 30)


def end_of(day: date, symbol: str) -> int:
    """Return the `t` the vendor stamps on a whole day: its END, 16:00 New York, midnight UTC for crypto."""
    zone = zone_of(symbol)
    moment = datetime.combine(day, time(23, 59, 59, 999_000) if zone == "UTC" else _CLOSE, tzinfo=ZoneInfo(zone))
    return round(moment.timestamp() * 1000)


def day_of(holdings: Holdings, symbol: str, day: date, *, is_adjusted: bool) -> pl.DataFrame:
    """Return the bars of one day, normally one, with `symbol`, stamped with their end."""
    frame = holdings.frame(symbol, Timeframe.D1)
    start = local_midnight(day, symbol)
    first, last = frame["t"].search_sorted(start, side="left"), frame["t"].search_sorted(start, side="right")
    rows = frame.slice(first, last - first)
    if is_adjusted and rows.height:
        rows = adjusted(rows, holdings.splits(symbol))
    return rows.with_columns(symbol=pl.lit(symbol), t=pl.lit(end_of(day, symbol)))


def market_day(holdings: Holdings, day: date, *, is_adjusted: bool) -> pl.DataFrame:
    """Return the day bars of all stocks, ascending by symbol."""
    stocks = [listing.symbol for listing in holdings.listings() if listing.asset_class is AssetClass.STOCKS]
    found = [day_of(holdings, symbol, day, is_adjusted=is_adjusted) for symbol in stocks]
    return pl.concat(found) if found else pl.DataFrame()


def last_day_before(holdings: Holdings, symbol: str, until: int) -> date | None:
    """Return the last session with a day bar before `until` (ms), None if there is none."""
    frame = holdings.frame(symbol, Timeframe.D1)
    place = frame["t"].search_sorted(until, side="left")
    if place == 0:
        return None
    moment: datetime = frame["ts"][int(place) - 1]
    return moment.astimezone(ZoneInfo(zone_of(symbol))).date()


def outside_hours(holdings: Holdings, symbol: str, day: date) -> dict[str, float]:
    """Return the first price before the open and the last one after the close, as far as minutes know them."""
    zone = ZoneInfo(zone_of(symbol))
    opening, close = (round(datetime.combine(day, at, tzinfo=zone).timestamp() * 1000) for at in (_OPEN, _CLOSE))
    start, end = local_midnight(day, symbol), local_midnight(date.fromordinal(day.toordinal() + 1), symbol)
    minutes = holdings.frame(symbol, Timeframe.M1).filter(pl.col("t").is_between(start, end, closed="left"))
    before, after = minutes.filter(pl.col("t") < opening), minutes.filter(pl.col("t") >= close)
    found = {}
    if before.height:
        found["preMarket"] = float(before["open"][0])
    if after.height:
        found["afterHours"] = float(after["close"][-1])
    return found
