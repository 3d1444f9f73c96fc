"""Sessions against what the exchanges did."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.market.calendar import CALENDAR_STARTS, FIRST_SESSION, SESSION_SCHEMA, ZONES, sessions

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes" / "us_daily"


def session(day: date, calendar: str = "NYSE") -> dict[str, object]:
    (row,) = sessions(calendar, day, day + timedelta(days=1)).to_dicts()
    return row


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        # Half days close at 13:00 in New York.
        (date(2012, 12, 24), utc(2012, 12, 24, 14, 30), utc(2012, 12, 24, 18, 0)),
        (date(2013, 7, 3), utc(2013, 7, 3, 13, 30), utc(2013, 7, 3, 17, 0)),
        (date(2013, 11, 29), utc(2013, 11, 29, 14, 30), utc(2013, 11, 29, 18, 0)),
    ],
)
def test_half_day_closes_early(day: date, opens: datetime, closes: datetime) -> None:
    found = session(day)
    assert (found["open"], found["close"], found["is_early"]) == (opens, closes, True)


@pytest.mark.parametrize(
    ("day", "opens", "midnight", "monday"),
    [
        # Clocks went forward on 2013-03-10 and back on 2012-11-04, both Sundays.
        (date(2013, 3, 8), utc(2013, 3, 8, 14, 30), utc(2013, 3, 8, 5), utc(2013, 3, 4, 5)),
        (date(2013, 3, 11), utc(2013, 3, 11, 13, 30), utc(2013, 3, 11, 4), utc(2013, 3, 11, 4)),
        (date(2013, 3, 15), utc(2013, 3, 15, 13, 30), utc(2013, 3, 15, 4), utc(2013, 3, 11, 4)),
        (date(2012, 11, 2), utc(2012, 11, 2, 13, 30), utc(2012, 11, 2, 4), utc(2012, 10, 29, 4)),
        (date(2012, 11, 5), utc(2012, 11, 5, 14, 30), utc(2012, 11, 5, 5), utc(2012, 11, 5, 5)),
    ],
)
def test_opening_follows_the_clock_of_new_york(
    day: date, opens: datetime, midnight: datetime, monday: datetime
) -> None:
    found = session(day)
    assert (found["open"], found["day_ts"], found["week_ts"]) == (opens, midnight, monday)
    assert found["close"] == opens + timedelta(hours=6, minutes=30)
    assert found["is_early"] is False


@pytest.mark.parametrize(
    ("first", "last", "closed"),
    [
        (date(2001, 9, 10), date(2001, 9, 17), 4),  # closed from Tuesday to Friday
        (date(2012, 10, 26), date(2012, 10, 31), 2),  # Hurricane Sandy, Monday and Tuesday
        (date(2018, 12, 4), date(2018, 12, 6), 1),  # day of mourning
    ],
)
def test_exchange_was_closed_when_it_was(first: date, last: date, closed: int) -> None:
    weekdays = pl.date_range(first, last, eager=True).dt.weekday().le(5).sum()
    assert sessions("NYSE", first, last + timedelta(days=1)).height == weekdays - closed


def test_sessions_equal_fifty_two_years_of_real_trading() -> None:
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    traded = pl.read_parquet(TAPES / "BA.parquet")["session"].sort()
    assert traded.len() == 13_090
    built = sessions("NYSE", date(1962, 1, 1), date(2014, 1, 1))
    assert built["session"].to_list() == traded.to_list()


def test_end_is_exclusive() -> None:
    week = sessions("NYSE", date(2024, 1, 8), date(2024, 1, 12))
    assert week["session"].to_list() == [date(2024, 1, day) for day in (8, 9, 10, 11)]


def test_market_that_never_closes_has_every_day_in_full() -> None:
    days = sessions("24/7", date(2024, 2, 28), date(2024, 3, 2))
    assert days["session"].to_list() == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert days["open"].to_list() == days["day_ts"].to_list() == [utc(2024, 2, 28), utc(2024, 2, 29), utc(2024, 3, 1)]
    assert (days["close"] - days["open"]).unique().to_list() == [timedelta(days=1)]
    assert days["week_ts"].unique().to_list() == [utc(2024, 2, 26)]
    assert not days["is_early"].any()


@pytest.mark.parametrize("calendar", ZONES)
def test_frame_has_its_schema_also_when_empty(calendar: str) -> None:
    saturday = date(2024, 1, 13)
    for frame in (sessions(calendar, date(2024, 1, 8), saturday), sessions(calendar, saturday, date(2024, 1, 14))):
        assert frame.schema == pl.Schema(SESSION_SCHEMA)
        assert set(frame["calendar"]) <= {calendar}
    assert sessions("NYSE", saturday, date(2024, 1, 14)).is_empty()


@pytest.mark.parametrize("end", [date(2024, 1, 8), date(2024, 1, 7)])
def test_empty_or_reversed_range_is_refused(end: date) -> None:
    with pytest.raises(InvalidInput, match="2024-01-08"):
        sessions("NYSE", date(2024, 1, 8), end)


def test_unknown_calendar_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"'XLON'.*NYSE, 24/7"):
        sessions("XLON", date(2024, 1, 8), date(2024, 1, 9))


# The calendar library takes up to 0.3 s a span on a busy machine.
@settings(max_examples=10, deadline=None)
@given(st.dates(date(2000, 1, 1), date(2030, 12, 31)), st.integers(1, 400), st.sampled_from(sorted(ZONES)))
def test_sessions_ascend_and_lie_within_their_day(start: date, days: int, calendar: str) -> None:
    frame = sessions(calendar, start, start + timedelta(days=days))
    assert frame["session"].is_sorted()
    assert frame["session"].is_unique().all()
    assert frame.filter(~((pl.col("day_ts") <= pl.col("open")) & (pl.col("open") < pl.col("close")))).is_empty()
    assert frame.filter(pl.col("close") > pl.col("day_ts") + timedelta(hours=25)).is_empty()
    assert frame.filter(pl.col("week_ts") > pl.col("day_ts")).is_empty()


def test_daily_partitions_begin_with_the_century_and_the_table_before_its_oldest_bars() -> None:
    assert date(2000, 1, 1) == FIRST_SESSION
    # BA and GE of the tapes begin in January 1962; the first bitcoin block is of 2009-01-03.
    assert date(1960, 1, 1) == CALENDAR_STARTS["NYSE"]
    assert date(2009, 1, 1) == CALENDAR_STARTS["24/7"]


@pytest.mark.parametrize(
    ("day", "pre", "post"),
    [
        (date(2013, 3, 8), utc(2013, 3, 8, 9), utc(2013, 3, 9, 1)),  # winter: 04:00 to 20:00 is 09:00 to 01:00 UTC
        (date(2013, 3, 11), utc(2013, 3, 11, 8), utc(2013, 3, 12, 0)),  # the Monday after clocks went forward
        (date(2012, 12, 24), utc(2012, 12, 24, 9), utc(2012, 12, 24, 22)),  # half day: until 17:00
        (date(2005, 6, 1), utc(2005, 6, 1, 8), utc(2005, 6, 2, 0)),  # closed at 15:56 unplanned: the evening stayed
        (date(2001, 9, 17), utc(2001, 9, 17, 8), utc(2001, 9, 18, 0)),  # opened at 09:33 after two minutes of silence
    ],
)
def test_extended_hours_follow_the_clock_and_end_early_on_half_days(day: date, pre: datetime, post: datetime) -> None:
    found = session(day)
    assert (found["pre_open"], found["post_close"]) == (pre, post)


def test_extended_hours_of_a_market_that_never_closes_are_its_hours() -> None:
    days = sessions("24/7", date(2024, 2, 28), date(2024, 3, 2))
    assert days["pre_open"].equals(days["open"], check_names=False)
    assert days["post_close"].equals(days["close"], check_names=False)


def test_shorter_hours_of_earlier_decades_are_not_early_closes() -> None:
    # Regular hours were 10:00 to 15:30 until the end of 1973.
    found = session(date(1973, 6, 1))
    assert found["close"] - found["open"] == timedelta(hours=5, minutes=30)  # type: ignore[operator]
    assert found["is_early"] is False


def test_late_opening_is_no_early_close() -> None:
    assert session(date(2002, 9, 11))["is_early"] is False
    assert session(date(2002, 9, 11))["open"] == utc(2002, 9, 11, 16)
