"""Sessions: when a market is open, as a table that everything downstream joins.

NYSE sessions come from pandas_market_calendars, `24/7` is one session per UTC day. The table is built by a step;
nothing asks a calendar library at read time.
"""

from collections.abc import Sequence
from datetime import date, time, timedelta

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.bars import TS, check_range
from chandlery.market.exchange_hours import HOURS_SCHEMA, Hours, pandas_market_calendars
from chandlery.market.session_exceptions import SessionException, apply_exceptions

SESSION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "calendar": pl.String,
    "session": pl.Date,
    "open": TS,
    "close": TS,
    "pre_open": TS,
    "post_close": TS,
    "day_ts": TS,
    "week_ts": TS,
    "is_early": pl.Boolean,
}
"""`[open, close)` is the regular session, `[pre_open, post_close)` the extended one; `day_ts` is local midnight,
`week_ts` local midnight of its Monday. `is_early`: closes before the regular hour of its time."""

ZONES = {"NYSE": "America/New_York", "24/7": "UTC"}
FIRST_SESSION = date(2000, 1, 1)
"""Where the daily partitions begin."""
CALENDAR_STARTS = {"NYSE": date(1960, 1, 1), "24/7": date(2009, 1, 1)}
"""Where the calendar table begins: before the oldest tape, and with the first bitcoin."""

_PRE_OPEN, _POST_CLOSE, _POST_CLOSE_HALF_DAY = time(4), time(20), time(17)
_HALF_DAY_CLOSE = time(13)


def sessions(calendar: str, start: date, end: date) -> pl.DataFrame:
    """Return the sessions with `start <= session < end`, ascending, in `SESSION_SCHEMA`.

    Raises:
        InvalidInput: for an unknown calendar or a reversed range.
    """
    return build_sessions(calendar, hours_of(calendar, start, end), ())


def hours_of(calendar: str, start: date, end: date, *, nyse: Hours = pandas_market_calendars) -> pl.DataFrame:
    """Return the hours of a calendar's sessions in `HOURS_SCHEMA`, those of NYSE as `nyse` says.

    Raises:
        InvalidInput: for an unknown calendar or a reversed range.
    """
    check_range(start, end)
    if calendar == "24/7":
        return _always_open(start, end)
    if calendar == "NYSE":
        return nyse(start, end)
    raise InvalidInput(f"Calendar was {calendar!r}; known calendars are {', '.join(ZONES)}.")


def build_sessions(calendar: str, hours: pl.DataFrame, exceptions: Sequence[SessionException]) -> pl.DataFrame:
    """Return hours as sessions in `SESSION_SCHEMA`, after closures, early closes and late openings of the venue."""
    zone = ZONES[calendar]
    monday = pl.col("session") - pl.duration(days=pl.col("session").dt.weekday() - 1)
    return (
        apply_exceptions(hours, exceptions)
        .with_columns(
            calendar=pl.lit(calendar),
            day_ts=_local(pl.col("session"), time(0), zone),
            week_ts=_local(monday, time(0), zone),
            is_early=pl.col("close") < pl.col("usual_close"),
        )
        .with_columns(**_extended(calendar))
        .select(pl.col(name).cast(dtype) for name, dtype in SESSION_SCHEMA.items())
    )


def _extended(calendar: str) -> dict[str, pl.Expr]:
    """Hours of extended trading: 04:00 to 20:00 New York, to 17:00 if the session closed by 13:00."""
    if calendar != "NYSE":
        return {"pre_open": pl.col("open"), "post_close": pl.col("close")}
    zone, day = ZONES[calendar], pl.col("session")
    # An unplanned closing (2005-06-01 15:56) does not move the evening; planned half days do.
    is_half_day = pl.col("is_early") & (pl.col("close") <= _local(day, _HALF_DAY_CLOSE, zone))
    evening = (
        pl.when(is_half_day).then(_local(day, _POST_CLOSE_HALF_DAY, zone)).otherwise(_local(day, _POST_CLOSE, zone))
    )
    return {"pre_open": _local(day, _PRE_OPEN, zone), "post_close": evening}


def _local(day: pl.Expr, clock: time, zone: str) -> pl.Expr:
    wall = day.cast(pl.Datetime("us")) + timedelta(hours=clock.hour, minutes=clock.minute)
    return wall.dt.replace_time_zone(zone).dt.convert_time_zone("UTC")


def _always_open(start: date, end: date) -> pl.DataFrame:
    days = pl.date_range(start, end, interval="1d", closed="left", eager=True)
    opens = days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    closes = opens + timedelta(days=1)
    rows = {"session": days, "open": opens, "close": closes, "usual_open": opens, "usual_close": closes}
    return pl.DataFrame(rows, schema=HOURS_SCHEMA)
