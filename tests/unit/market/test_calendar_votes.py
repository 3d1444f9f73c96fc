"""Votes: two libraries against each other and against what was really traded."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from chandlery.market.calendar_votes import (
    Announcement,
    CalendarFinding,
    Turnout,
    announced_holidays,
    announced_hours,
    disputes,
    merged,
    trading_disagrees,
    votes_of,
)
from chandlery.market.exchange_hours import HOURS_SCHEMA, exchange_calendars, pandas_market_calendars

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes" / "us_daily"
START, END = date(1960, 1, 1), date(2027, 1, 1)


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return pandas_market_calendars(START, END)


@pytest.fixture(scope="module")
def second() -> pl.DataFrame:
    return exchange_calendars(START, END)


@pytest.fixture(scope="module")
def found(table: pl.DataFrame, second: pl.DataFrame) -> tuple[CalendarFinding, ...]:
    return disputes(table, second, voter="exchange_calendars", start=START, end=END)


def days(found: tuple[CalendarFinding, ...], rule: str, since: date = START) -> list[date]:
    return [item.session for item in found if item.rule == rule and item.session >= since]


def test_libraries_agree_on_every_session_since_1970(found: tuple[CalendarFinding, ...]) -> None:
    assert days(found, "session_is_disputed", date(1970, 1, 1)) == []


def test_phantom_sessions_of_the_sixties_are_those_on_which_nobody_traded(
    found: tuple[CalendarFinding, ...],
) -> None:
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    traded = pl.read_parquet(TAPES / "GE.parquet")["session"]
    disputed = [day for day in days(found, "session_is_disputed") if day >= traded.min()]  # type: ignore[operator]
    # The README of the tapes: 68 days, 1962-02-22 to 1969-12-25, on which the exchange was closed.
    assert len(disputed) == 68
    assert (disputed[0], disputed[-1]) == (date(1962, 2, 22), date(1969, 12, 25))
    assert set(disputed).isdisjoint(traded)
    assert all(item.severity == "info" for item in found if item.rule == "session_is_disputed")


def test_early_closes_since_1990_differ_on_five_known_days(found: tuple[CalendarFinding, ...]) -> None:
    assert days(found, "early_close_is_disputed", date(1990, 1, 1)) == [
        date(1994, 2, 11),
        date(1996, 1, 8),
        date(1997, 10, 27),
        date(1999, 12, 31),
        date(2005, 6, 1),
    ]
    (last,) = [item for item in found if item.session == date(1999, 12, 31)]
    assert last.evidence == {"pandas_market_calendars": "09:30-16:00", "exchange_calendars": "09:30-13:00"}


def test_one_dispute_since_2000_is_notable_and_explained(found: tuple[CalendarFinding, ...]) -> None:
    notable = [item for item in merged(found, {}) if item.severity != "info"]
    assert [(item.session, item.rule) for item in notable] == [(date(2002, 9, 11), "late_open_is_disputed")]
    assert "noon" in (notable[0].explanation or "")


def test_other_regular_hours_are_one_finding_an_era(found: tuple[CalendarFinding, ...]) -> None:
    eras = [item for item in found if item.rule == "regular_hours_are_disputed"]
    assert [(item.session, item.evidence["last"]) for item in eras] == [
        (date(1960, 1, 4), "1973-12-31"),
        (date(1974, 1, 2), "1984-12-31"),
    ]
    assert eras[0].evidence["pandas_market_calendars"] == "10:00-15:30"


def test_votes_name_the_hours_by_the_clock_of_new_york(table: pl.DataFrame, second: pl.DataFrame) -> None:
    votes = votes_of({"one": table, "two": second}, date(1997, 10, 24), date(1997, 10, 28))
    assert votes == {
        date(1997, 10, 24): {"one": "09:30-16:00", "two": "09:30-16:00"},
        date(1997, 10, 27): {"one": "09:30-15:30", "two": "09:30-16:00"},
    }


def announcement(day: date, *, closed: bool = True, close: datetime | None = None) -> Announcement:
    return Announcement(day, "Thanksgiving", closed, None, close)


def test_announcements_that_agree_with_the_table_are_no_findings(table: pl.DataFrame) -> None:
    # The specification's own example: closed on 2020-11-26, open until 18:00 UTC the day after.
    half_day = announcement(date(2020, 11, 27), closed=False, close=datetime(2020, 11, 27, 18, tzinfo=UTC))
    told = [announcement(date(2020, 11, 26)), half_day]
    hours = announced_hours(told)
    assert hours.schema == pl.Schema(HOURS_SCHEMA)
    assert hours["session"].to_list() == [date(2020, 11, 27)]
    first, end = date(2020, 11, 26), date(2020, 11, 28)
    assert disputes(table, hours, voter="feed", start=first, end=end) == ()
    assert announced_holidays(table, told, voter="feed") == ()


def test_announced_closure_of_a_session_is_major(table: pl.DataFrame) -> None:
    (item,) = announced_holidays(table, [announcement(date(2020, 11, 25))], voter="feed")
    assert (item.rule, item.severity, item.evidence["feed"]) == ("holiday_is_announced", "major", "closed")


def test_weekday_between_announcements_is_taken_for_a_session(table: pl.DataFrame) -> None:
    told = [announcement(date(2020, 11, 20)), announcement(date(2020, 11, 30))]
    found = disputes(table, announced_hours(told), voter="feed", start=date(2020, 11, 21), end=date(2020, 11, 30))
    # Thanksgiving itself was not announced, and Friday's half day was not either.
    assert {(item.session.day, item.rule) for item in found} == {
        (26, "session_is_disputed"),
        (27, "early_close_is_disputed"),
    }


def test_nothing_announced_is_no_opinion() -> None:
    assert announced_hours([]).is_empty()


@pytest.mark.parametrize(
    ("present", "absent", "rule"),
    [
        (0, 3, "nobody_trades_in_session"),
        (1, 9, "nobody_trades_in_session"),
        (2, 9, None),
        (0, 2, None),  # two series are no quorum
        (10, 0, None),
    ],
)
def test_session_in_which_nine_of_ten_do_not_trade_is_disputed(present: int, absent: int, rule: str | None) -> None:
    day = date(2024, 1, 9)
    found = trading_disagrees([day], {day: Turnout(present, absent)})
    assert [item.rule for item in found] == ([] if rule is None else [rule])


@pytest.mark.parametrize(
    ("present", "absent", "rule"),
    [(3, 0, "everybody_trades_outside_sessions"), (9, 1, "everybody_trades_outside_sessions"), (1, 2, None)],
)
def test_trading_of_nine_in_ten_outside_sessions_is_disputed(present: int, absent: int, rule: str | None) -> None:
    found = trading_disagrees([], {date(2024, 1, 13): Turnout(present, absent)})
    assert [item.rule for item in found] == ([] if rule is None else [rule])
    assert all(item.evidence == {"data": f"{present}/{present + absent}"} for item in found)


def test_findings_of_one_day_and_rule_become_one_with_the_worst_severity() -> None:
    day, other = date(2024, 1, 9), date(2024, 1, 8)
    found = merged(
        [
            CalendarFinding(day, "session_is_disputed", "info", {"one": "closed"}),
            CalendarFinding(day, "session_is_disputed", "major", {"two": "closed"}),
            CalendarFinding(other, "session_is_disputed", "minor", {"one": "closed"}),
        ],
        {other: "closure: storm"},
    )
    assert [(item.session, item.severity, item.explanation) for item in found] == [
        (other, "minor", "closure: storm"),
        (day, "major", None),
    ]
    assert found[1].evidence == {"one": "closed", "two": "closed"}


def test_rules_of_the_libraries_are_the_documented_ones(found: tuple[CalendarFinding, ...]) -> None:
    assert set(Counter(item.rule for item in found)) == {
        "session_is_disputed",
        "early_close_is_disputed",
        "late_open_is_disputed",
        "regular_hours_are_disputed",
    }


def test_weekend_is_an_empty_answer_of_both_libraries() -> None:
    saturday, monday = date(2013, 1, 5), date(2013, 1, 7)
    for ask in (pandas_market_calendars, exchange_calendars):
        assert ask(saturday, monday).is_empty()
        assert ask(saturday, monday).schema == pl.Schema(HOURS_SCHEMA)
