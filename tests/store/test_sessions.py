"""The calendar table: written as built, rewritten only where it changed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from chandlery.market.calendar import SESSION_SCHEMA, sessions
from chandlery.market.calendar_votes import CalendarFinding, Turnout
from chandlery.store.calendar_findings import list_findings, record_findings
from chandlery.store.sessions import last_session, replace_sessions, sessions_between, turnout, votes_between
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

START, END = date(2012, 12, 20), date(2013, 1, 3)


def replace(warehouse: Warehouse, frame: pl.DataFrame, calendar: str = "NYSE", **votes: Any) -> tuple[int, int]:
    with warehouse.write() as connection:
        rebuilt = replace_sessions(connection, frame, calendar=calendar, start=START, end=END, **votes)
    return rebuilt.written, rebuilt.removed


def test_sessions_come_back_as_they_were_built(fresh: Warehouse) -> None:
    week, days = sessions("NYSE", START, END), sessions("24/7", START, END)
    assert replace(fresh, week) == (week.height, 0)
    assert replace(fresh, days, "24/7") == (14, 0)
    assert sessions_between(fresh, "NYSE", START, END).equals(week)
    part = sessions_between(fresh, "24/7", date(2012, 12, 24), date(2012, 12, 26))
    assert part["session"].to_list() == [date(2012, 12, 24), date(2012, 12, 25)]
    assert part.schema == pl.Schema(SESSION_SCHEMA)
    with fresh.read() as connection:
        assert last_session(connection) == date(2013, 1, 2)


def test_rebuild_writes_what_changed_and_nothing_else(fresh: Warehouse, ask: Ask) -> None:
    week = sessions("NYSE", START, END)
    replace(fresh, week)
    before = dict(ask(fresh, "select session, xmin::text from ops.sessions"))
    assert replace(fresh, week) == (0, 0)
    late = pl.when(pl.col("session") == date(2012, 12, 21)).then(pl.col("open") + timedelta(hours=1))
    assert replace(fresh, week.with_columns(open=late.otherwise(pl.col("open")))) == (1, 0)
    after = dict(ask(fresh, "select session, xmin::text from ops.sessions"))
    assert {day for day in before if before[day] != after[day]} == {date(2012, 12, 21)}


def test_session_that_is_none_any_more_goes_and_its_neighbours_outside_stay(fresh: Warehouse) -> None:
    week = sessions("NYSE", date(2012, 12, 17), END)
    with fresh.write() as connection:
        replace_sessions(connection, week, calendar="NYSE", start=date(2012, 12, 17), end=END)
    assert replace(fresh, week.filter(pl.col("session") >= date(2012, 12, 26))) == (0, 3)
    left = sessions_between(fresh, "NYSE", date(2012, 12, 1), date(2013, 2, 1))["session"].to_list()
    assert left[:5] == [
        date(2012, 12, 17),
        date(2012, 12, 18),
        date(2012, 12, 19),
        date(2012, 12, 26),
        date(2012, 12, 27),
    ]
    assert replace(fresh, week.clear()) == (0, 5)


def test_votes_stay_until_their_voter_votes_again_and_those_of_exceptions_do_not(fresh: Warehouse) -> None:
    week = sessions("NYSE", START, END)
    day = date(2012, 12, 24)
    replace(fresh, week, votes={day: {"announcements": "09:30-13:00", "exception": "halt"}})
    replace(fresh, week, votes={day: {"one": "09:30-13:00"}})
    with fresh.read() as connection:
        votes = votes_between(connection, "NYSE", day, END)
    assert votes[day] == {"announcements": "09:30-13:00", "one": "09:30-13:00"}
    assert votes[date(2012, 12, 26)] == {}


def test_span_without_sessions_is_an_empty_frame(fresh: Warehouse) -> None:
    none = sessions_between(fresh, "NYSE", date(1950, 1, 1), date(1950, 2, 1))
    assert none.is_empty()
    assert none.schema == pl.Schema(SESSION_SCHEMA)
    with fresh.read() as connection:
        assert last_session(connection) is None


def test_turnout_counts_series_with_bars_around_a_day(fresh: Warehouse, tell: Tell) -> None:
    bars = {
        1: ("2013-01-04", "2013-01-07", "2013-01-08"),
        2: ("2013-01-04", "2013-01-08"),
        3: ("2013-01-04", "2013-03-01"),  # silent for weeks: no witness of what lies between
        4: ("2013-01-04", "2013-01-08"),  # not tracked
    }
    statements = []
    for number, days in bars.items():
        statements.append(
            "insert into ops.instruments (instrument_id, asset_class, calendar, is_tracked) overriding system value "
            f"values ({number}, 'stocks', 'NYSE', {number != 4})"
        )
        statements += [
            f"insert into ops.bar_sessions values ({number}, '1d', '{day}', 1, null, null, 1, 1)" for day in days
        ]
    # Minutes and sessions that were emptied say nothing.
    statements.append("insert into ops.bar_sessions values (2, '1m', '2013-01-07', 390, null, null, 1, 1)")
    statements.append("insert into ops.bar_sessions values (1, '1d', '2013-01-09', 0, null, null, 1, 1)")
    tell(fresh, *statements)
    with fresh.read() as connection:
        found = turnout(connection, "NYSE")
        assert turnout(connection, "24/7") == {}
    assert found == {
        date(2013, 1, 4): Turnout(3, 0),
        date(2013, 1, 5): Turnout(0, 2),
        date(2013, 1, 6): Turnout(0, 2),
        date(2013, 1, 7): Turnout(1, 1),
        date(2013, 1, 8): Turnout(2, 0),
        date(2013, 3, 1): Turnout(1, 0),
    }


def record(warehouse: Warehouse, *found: CalendarFinding, silent: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    with warehouse.write() as connection:
        record_findings(connection, found, calendar="NYSE", start=START, end=END, silent=silent)
    with warehouse.read() as connection:
        return [(item.session.day, item.state) for item in list_findings(connection, state=None)]


def finding(day: int, explanation: str | None = None, voter: str = "one") -> CalendarFinding:
    return CalendarFinding(date(2012, 12, day), "session_is_disputed", "major", {voter: "closed"}, explanation)


def test_finding_is_open_explained_closed_and_open_again(fresh: Warehouse, ask: Ask) -> None:
    assert record(fresh, finding(21), finding(24, "storm")) == [(24, "explained"), (21, "open")]
    (first,) = ask(fresh, "select found_at from ops.calendar_findings where session = '2012-12-21'")
    assert record(fresh, finding(21)) == [(24, "closed"), (21, "open")]
    assert ask(fresh, "select found_at from ops.calendar_findings where session = '2012-12-21'") == [first]
    assert record(fresh) == [(24, "closed"), (21, "closed")]
    assert record(fresh, finding(21)) == [(24, "closed"), (21, "open")]
    (again,) = ask(fresh, "select found_at from ops.calendar_findings where session = '2012-12-21'")
    assert again > first


def test_finding_of_a_voter_that_was_not_heard_stays(fresh: Warehouse) -> None:
    assert record(fresh, finding(21), finding(24, voter="two")) == [(24, "open"), (21, "open")]
    assert record(fresh, silent=("two",)) == [(24, "open"), (21, "closed")]


def test_findings_outside_the_rebuilt_span_are_left_alone(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        day = CalendarFinding(date(1999, 12, 31), "early_close_is_disputed", "info", {"one": "13:00"})
        record_findings(connection, [day], calendar="NYSE", start=date(1999, 1, 1), end=date(2000, 1, 1))
    assert record(fresh) == [(31, "open")]


def test_evidence_and_time_of_a_finding_are_kept(fresh: Warehouse) -> None:
    record(fresh, finding(24, "storm"))
    with fresh.read() as connection:
        (found,) = list_findings(connection, calendar="NYSE", state="explained")
        assert list_findings(connection, calendar="24/7", state=None) == ()
    assert found.evidence == {"one": "closed", "explanation": "storm"}
    assert found.severity == "major"
    assert found.found_at > datetime(2020, 1, 1, tzinfo=UTC)
