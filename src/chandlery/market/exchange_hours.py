"""What two calendar libraries say of the hours of the New York exchanges; both are asked once, when a table is built.

pandas_market_calendars 5.5.0 equals 13,090 real sessions of BA and GE, 1962-2013, none missing, none extra.
exchange_calendars 4.13.2 lists 68 days of 1962-69 on which the exchange was closed, and knows neither the shorter
regular hours before 1985 nor the unplanned closings.
"""

import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.bars import TS

NEW_YORK = ZoneInfo("America/New_York")

HOURS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "session": pl.Date,
    "open": TS,
    "close": TS,
    "usual_open": TS,
    "usual_close": TS,
}
"""Hours of each session, and those of an ordinary day of its time; ascending."""

Hours = Callable[[date, date], pl.DataFrame]
"""Sessions with `start <= session < end` in `HOURS_SCHEMA`."""

_Times = Iterable[tuple[object, time]]
# Without this margin exchange_calendars refuses a span that holds no session.
_MARGIN = timedelta(days=14)


def pandas_market_calendars(start: date, end: date) -> pl.DataFrame:
    """Return what pandas_market_calendars says, in `HOURS_SCHEMA`."""
    # Imported here: the package pulls pandas, which the API must not load.
    import pandas_market_calendars as library  # noqa: PLC0415

    with warnings.catch_warnings():
        # 5.5.0 uses Series.dt.weekday, which pandas 3.1 deprecates (seen 2026-11); nothing we could change.
        warnings.filterwarnings("ignore", message=".*weekday.*")
        calendar = library.get_calendar("NYSE")
        schedule = calendar.schedule(start_date=start, end_date=end - timedelta(days=1))
    usual = calendar.regular_market_times
    columns = (schedule.index, schedule["market_open"], schedule["market_close"])
    return _frame(*columns, opens=usual["market_open"], closes=usual["market_close"])


def exchange_calendars(start: date, end: date) -> pl.DataFrame:
    """Return what exchange_calendars says, in `HOURS_SCHEMA`.

    Raises:
        ValueError: it refuses the range.
    """
    with warnings.catch_warnings():
        # 4.13.2 uses Series.values, which pandas 3.1 deprecates (seen 2026-11); nothing we could change.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        import exchange_calendars as library  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

        try:
            calendar = library.get_calendar("XNYS", start=str(start - _MARGIN), end=str(end + _MARGIN))
        except library.errors.CalendarError as error:
            raise ValueError(str(error)) from error
        columns = (calendar.opens.index, calendar.opens, calendar.closes)
        frame = _frame(*columns, opens=calendar.open_times, closes=calendar.close_times)
    return frame.filter((pl.col("session") >= start) & (pl.col("session") < end))


def _frame(
    days: Iterable[datetime],
    opens_at: Iterable[datetime],
    closes_at: Iterable[datetime],
    *,
    opens: _Times,
    closes: _Times,
) -> pl.DataFrame:
    found = [_to_utc(value).date() for value in days]
    rows = {
        "session": found,
        "open": [_to_utc(value) for value in opens_at],
        "close": [_to_utc(value) for value in closes_at],
        "usual_open": _usual(found, opens),
        "usual_close": _usual(found, closes),
    }
    return pl.DataFrame(rows, schema=HOURS_SCHEMA)


def _usual(days: Iterable[date], times: _Times) -> list[datetime]:
    """Return the ordinary hour of each day; `times` are (first day or None, local time) in order."""
    eras = [(date.min if first is None else date.fromisoformat(str(first)[:10]), clock) for first, clock in times]
    return [local_instant(day, next(clock for first, clock in reversed(eras) if first <= day)) for day in days]


def local_instant(day: date, clock: time) -> datetime:
    """Return the instant at which clocks in New York show `clock` on `day`, in UTC."""
    return datetime.combine(day, clock, tzinfo=NEW_YORK).astimezone(UTC)


def _to_utc(stamp: datetime) -> datetime:
    moment = datetime.fromisoformat(stamp.isoformat())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
