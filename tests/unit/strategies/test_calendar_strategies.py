"""The calendar family against Python's own calendar."""

import calendar
from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from chandlery.backtest import Panel
from chandlery.backtest.reference import series_values, signal_values
from chandlery.strategies import get_strategy

EPOCH = date(1970, 1, 1)


def panel_of(days: list[date]) -> Panel:
    """Return daily bars of these days, all prices 1."""
    stamps = np.array([(day - EPOCH).days for day in days], dtype=np.int64) * 86_400_000_000
    return Panel("DAYS", "1d", stamps, np.ones((5, len(days))))


@pytest.fixture(scope="module")
def every_day() -> list[date]:
    """All days from 1999 to 2030: leap years, and 2000, which is one although it ends a century."""
    return [date(1999, 1, 1) + timedelta(days=day) for day in range(32 * 365 + 8)]


def held(name: str, sessions: list[date], **values: float) -> NDArray[np.bool_]:
    """Return on which bars the strategy wants to be long, after checking that it wants out on the others."""
    strategy, panel = get_strategy(name), panel_of(sessions)
    params = strategy.defaults | values
    entry = signal_values(strategy.long_entry, params, panel)
    assert strategy.long_exit is not None
    np.testing.assert_array_equal(signal_values(strategy.long_exit, params, panel), ~entry)
    return entry


def test_weekdays_left_equal_those_of_the_calendar(every_day: list[date]) -> None:
    strategy = get_strategy("turn_of_month")
    left = series_values(strategy.let["weekdays_left"], strategy.defaults, panel_of(every_day))
    for day, found in zip(every_day, left.tolist(), strict=True):
        ahead = range(day.day + 1, calendar.monthrange(day.year, day.month)[1] + 1)
        assert found == sum(date(day.year, day.month, other).weekday() < 5 for other in ahead), day


def test_turn_of_month_is_bought_before_the_last_day_and_sold_after_the_third(every_day: list[date]) -> None:
    strategy, days = get_strategy("turn_of_month"), [day for day in every_day if day.weekday() < 5]
    panel = panel_of(days)
    entry = signal_values(strategy.long_entry, strategy.defaults, panel)
    closing = np.asarray(signal_values(strategy.long_exit, strategy.defaults, panel))
    for index in range(30, len(days) - 5):
        following = [days[index + ahead].month == days[index].month for ahead in (1, 2)]
        assert entry[index] == (following != [True, True]), days[index]
        number = sum(day.month == days[index].month for day in days[index - 24 : index + 1])
        assert closing[index] == (number >= 3 and not entry[index]), days[index]


def test_halloween_is_long_from_november_to_april(every_day: list[date]) -> None:
    assert held("halloween", every_day).tolist() == [day.month in {11, 12, 1, 2, 3, 4} for day in every_day]


def test_day_of_week_is_long_from_monday_to_thursday_evening(every_day: list[date]) -> None:
    assert held("day_of_week", every_day).tolist() == [day.weekday() < 4 for day in every_day]


def test_days_of_the_week_count_across_its_end(every_day: list[date]) -> None:
    # Bought on Friday, six days: every day but Thursday.
    assert held("day_of_week", every_day, buy=6, days=6).tolist() == [day.weekday() != 3 for day in every_day]
