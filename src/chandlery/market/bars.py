"""The bar frame: one instrument, one timeframe, one shape everywhere."""

from datetime import date, datetime

import polars as pl

from chandlery.errors import InvalidInput

TS = pl.Datetime("us", "UTC")

BAR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Float64,
    "vwap": pl.Float64,
    "trade_count": pl.Int64,
}
"""`ts` = bar open, UTC, ascending and unique; prices unadjusted; vwap and trade_count null where unpublished."""

VALUE_COLUMNS = ("open", "high", "low", "close", "volume", "vwap", "trade_count")


def empty_bars() -> pl.DataFrame:
    """Return a bar frame without rows."""
    return pl.DataFrame(schema=BAR_SCHEMA)


def check_range(start: date | datetime, end: date | datetime) -> None:
    """Refuse an empty or reversed half-open interval.

    Raises:
        InvalidInput: unless `start < end`.
    """
    if not start < end:
        raise InvalidInput(f"Start was {start}, end was {end}; the end is exclusive and must come after the start.")
