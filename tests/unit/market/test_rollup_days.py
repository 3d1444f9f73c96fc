"""Days and weeks from a source's day bars."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import ZONES, sessions
from chandlery.market.rollup_days import roll_up_days
from chandlery.market.timeframes import Timeframe

LATER = datetime(2030, 1, 1, tzinfo=UTC)
WEEKLY, DAILY = Timeframe.W1, Timeframe.D1
# The week of New Year 2024: Monday is a holiday.
NEW_YEAR = (date(2024, 1, 1), date(2024, 1, 15))


def bars(days: dict[date, tuple[Any, ...]], zone: str = "America/New_York") -> pl.DataFrame:
    """Return day bars: open, high, low, close, volume, vwap, trade_count."""
    rows = [
        (datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC), *values)
        for day, values in days.items()
    ]
    return pl.DataFrame(rows, schema=dict(BAR_SCHEMA), orient="row")


def week_of(vwap: float | None = 10.0) -> dict[date, tuple[Any, ...]]:
    return {
        date(2024, 1, 2): (10.0, 12.0, 9.0, 11.0, 100.0, vwap, 5),
        date(2024, 1, 3): (11.0, 15.0, 10.0, 14.0, 300.0, 14.0, 7),
        date(2024, 1, 4): (14.0, 14.0, 8.0, 9.0, 0.0, None, 0),
        date(2024, 1, 5): (9.0, 10.0, 8.5, 9.5, 100.0, 9.0, 1),
    }


def roll(
    frame: pl.DataFrame, timeframe: Timeframe, *, calendar: str = "NYSE", as_of: datetime = LATER
) -> list[dict[str, Any]]:
    table = sessions(calendar, *NEW_YEAR)
    return roll_up_days(frame, table, timeframe, zone=ZONES[calendar], as_of=as_of).to_dicts()


@pytest.mark.parametrize("order", [1, -1])
def test_week_holds_its_days_under_its_monday_holiday_or_not(order: int) -> None:
    days = dict(list(week_of().items())[::order])
    (week,) = roll(bars(days), WEEKLY)
    assert week == {
        "ts": datetime(2024, 1, 1, 5, tzinfo=UTC),
        "session": date(2024, 1, 1),
        "open": 10.0,
        "high": 15.0,
        "low": 8.0,
        "close": 9.5,
        "volume": 500.0,
        "vwap": (10 * 100 + 14 * 300 + 9 * 100) / 500,
        "trade_count": 13,
        "turnover": 6100.0,
        "bar_count": 4,
        "expected_count": 4,
        "is_final": True,
    }


def test_day_candle_is_its_bar() -> None:
    days = week_of()
    found = roll(bars(days), DAILY)
    assert [row["session"] for row in found] == list(days)
    shown = [tuple(row[name] for name in ("open", "high", "low", "close", "volume", "trade_count")) for row in found]
    assert shown == [(*values[:5], values[6]) for values in days.values()]
    assert [row["vwap"] for row in found] == [10.0, 14.0, None, 9.0]
    assert {(row["bar_count"], row["expected_count"]) for row in found} == {(1, 1)}


def test_candles_ascend_whatever_the_order_of_the_bars() -> None:
    days = {**week_of(), date(2024, 1, 8): (9.0, 9.5, 8.0, 9.0, 10.0, 9.0, 1)}
    for timeframe, count in ((DAILY, 5), (WEEKLY, 2)):
        opens = [row["ts"] for row in roll(bars(dict(reversed(days.items()))), timeframe)]
        assert opens == sorted(opens)
        assert len(opens) == count


def test_day_that_traded_without_a_vwap_leaves_the_weeks_unknown() -> None:
    (week,) = roll(bars(week_of(vwap=None)), WEEKLY)
    assert (week["vwap"], week["turnover"], week["volume"]) == (None, None, 500.0)


def test_bar_on_a_day_without_session_is_left_out() -> None:
    days = {date(2024, 1, 1): (1.0, 99.0, 1.0, 1.0, 9.0, 1.0, 1), **week_of()}
    assert [row["session"] for row in roll(bars(days), DAILY)] == list(week_of())
    assert roll(bars(days), WEEKLY)[0]["high"] == 15.0


def test_half_a_week_says_so() -> None:
    days = dict(list(week_of().items())[:2])
    (week,) = roll(bars(days), WEEKLY)
    assert (week["bar_count"], week["expected_count"]) == (2, 4)


@pytest.mark.parametrize(("timeframe", "last"), [(DAILY, date(2024, 1, 2)), (WEEKLY, date(2024, 1, 5))])
def test_candle_is_final_at_eleven_of_the_day_after_its_last_session(timeframe: Timeframe, last: date) -> None:
    complete = datetime(last.year, last.month, last.day, 16, tzinfo=UTC) + timedelta(days=1)
    states = [
        roll(bars(week_of()), timeframe, as_of=complete + timedelta(seconds=shift))[0]["is_final"] for shift in (-1, 0)
    ]
    assert states == [False, True]


def test_pair_is_final_a_quarter_of_an_hour_after_midnight_utc() -> None:
    frame = bars({date(2024, 1, 7): (1.0, 2.0, 1.0, 2.0, 3.5, 1.5, None)}, "UTC")
    midnight = datetime(2024, 1, 8, tzinfo=UTC)
    (week,) = roll(frame, WEEKLY, calendar="24/7", as_of=midnight + timedelta(minutes=15))
    assert (week["session"], week["expected_count"], week["is_final"]) == (date(2024, 1, 1), 7, True)
    assert week["trade_count"] is None
    assert not roll(frame, WEEKLY, calendar="24/7", as_of=midnight + timedelta(minutes=14))[0]["is_final"]


def test_days_make_no_hours() -> None:
    with pytest.raises(InvalidInput, match="1d and 1w"):
        roll(bars(week_of()), Timeframe.H1)
