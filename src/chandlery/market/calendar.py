"""Sessions: when a market is open, as a table that everything downstream joins.

NYSE sessions come from pandas_market_calendars (equal to 13,090 real sessions of BA and GE, 1962-2013, none
missing, none extra); `24/7` is one session per UTC day. The table is built once by a step; nothing asks a
calendar library at read time.
"""

import warnings
from datetime import UTC, date, datetime, timedelta

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.bars import TS, check_range

SESSION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "calendar": pl.String,
    "session": pl.Date,
    "open": TS,
    "close": TS,
    "day_ts": TS,
    "week_ts": TS,
    "is_early": pl.Boolean,
}
"""`[open, close)` is the regular session; `day_ts` is local midnight, `week_ts` local midnight of its Monday."""

ZONES = {"NYSE": "America/New_York", "24/7": "UTC"}
FIRST_SESSION = date(2000, 1, 1)
"""Where the calendar table and the daily partitions begin."""
_REGULAR_MINUTES = 390


def sessions(calendar: str, start: date, end: date) -> pl.DataFrame:
    """Return the sessions with `start <= session < end`, ascending, in `SESSION_SCHEMA`.

    Raises:
        InvalidInput: for an unknown calendar or a reversed range.
    """
    check_range(start, end)
    if calendar == "24/7":
        frame = _always_open(start, end)
    elif calendar == "NYSE":
        frame = _nyse(start, end)
    else:
        raise InvalidInput(f"Calendar was {calendar!r}; known calendars are {', '.join(ZONES)}.")
    zone = ZONES[calendar]
    monday = pl.col("session") - pl.duration(days=pl.col("session").dt.weekday() - 1)
    return frame.with_columns(
        calendar=pl.lit(calendar),
        day_ts=_local_midnight(pl.col("session"), zone),
        week_ts=_local_midnight(monday, zone),
    ).select(pl.col(name).cast(dtype) for name, dtype in SESSION_SCHEMA.items())


def _local_midnight(day: pl.Expr, zone: str) -> pl.Expr:
    return day.cast(pl.Datetime("us")).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")


def _always_open(start: date, end: date) -> pl.DataFrame:
    days = pl.date_range(start, end, interval="1d", closed="left", eager=True)
    opens = days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.DataFrame({"session": days, "open": opens, "close": opens + timedelta(days=1)}).with_columns(
        is_early=pl.lit(value=False)
    )


def _nyse(start: date, end: date) -> pl.DataFrame:
    # Imported here: the package pulls pandas, which the API must not load.
    import pandas_market_calendars as mcal  # noqa: PLC0415

    with warnings.catch_warnings():
        # 5.5.0 uses Series.dt.weekday, which pandas 3.1 deprecates (seen 2026-11); nothing we could change.
        warnings.filterwarnings("ignore", message=".*weekday.*")
        schedule = mcal.get_calendar("NYSE").schedule(start_date=start, end_date=end - timedelta(days=1))
    rows = {
        "session": [_to_utc(value).date() for value in schedule.index],
        "open": [_to_utc(value) for value in schedule["market_open"]],
        "close": [_to_utc(value) for value in schedule["market_close"]],
    }
    frame = pl.DataFrame(rows, schema={"session": pl.Date, "open": TS, "close": TS})
    minutes = (pl.col("close") - pl.col("open")).dt.total_minutes()
    return frame.with_columns(is_early=minutes < _REGULAR_MINUTES)


def _to_utc(stamp: datetime) -> datetime:
    moment = datetime.fromisoformat(stamp.isoformat())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
