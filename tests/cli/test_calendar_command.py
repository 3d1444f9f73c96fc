"""`chandlery calendar` against a real database."""

import csv
import json
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest

from chandlery.steps.calendar import build_calendar

Variables = dict[str, object]


@pytest.fixture
def calendar(run: Any, fresh: Any, server_of: Callable[[Any], Variables]) -> Callable[..., Any]:
    """Return a function that runs `chandlery calendar ARGUMENTS` on a table of December 1999."""
    build_calendar(fresh, start=date(1999, 12, 1), end=date(2000, 1, 8))
    here = server_of(fresh)
    return lambda *arguments: run("calendar", *arguments, **here)


def test_sessions_are_shown_with_hours_and_votes(calendar: Callable[..., Any]) -> None:
    span = ("--from", "1999-12-30", "--to", "2000-01-03")
    rows = json.loads(calendar("show", "NYSE", *span, "--format", "json").out)
    assert [row["session"] for row in rows] == ["1999-12-30", "1999-12-31", "2000-01-03"]
    assert (rows[1]["open"], rows[1]["close"]) == ("1999-12-31T14:30:00Z", "1999-12-31T21:00:00Z")
    assert (rows[1]["pre_open"], rows[1]["post_close"]) == ("1999-12-31T09:00:00Z", "2000-01-01T01:00:00Z")
    assert rows[1]["votes"]["exchange_calendars"] == "09:30-13:00"
    assert len(list(csv.DictReader(StringIO(calendar("show", "24/7", *span, "--format", "csv").out)))) == 5
    assert "1999-12-31" in calendar("show", "NYSE", *span).out


def test_findings_are_listed_by_state(calendar: Callable[..., Any]) -> None:
    (row,) = json.loads(calendar("findings", "--format", "json").out)
    assert (row["session"], row["rule"], row["severity"]) == ("1999-12-31", "early_close_is_disputed", "info")
    assert json.loads(calendar("findings", "--state", "closed", "--format", "json").out) == []


def test_exception_is_told_listed_and_withdrawn(calendar: Callable[..., Any]) -> None:
    words = ("--kind", "early_close", "--at", "13:00", "--reason", "end of the century")
    added = calendar("exceptions", "add", "NYSE", "1999-12-31", *words)
    assert added.code == 0
    assert "early_close of NYSE from 1999-12-31T18:00:00Z" in added.out
    (row,) = json.loads(calendar("show", "NYSE", "--from", "1999-12-31", "--to", "1999-12-31", "--format", "json").out)
    assert (row["close"], row["is_early"]) == ("1999-12-31T18:00:00Z", True)
    (listed,) = json.loads(calendar("exceptions", "list", "--format", "json").out)
    assert (listed["id"], listed["kind"], listed["reason"]) == (1, "early_close", "end of the century")
    assert calendar("exceptions", "remove", "1").code == 0
    assert json.loads(calendar("exceptions", "list", "--format", "json").out) == []


def test_halt_of_one_symbol_is_a_note_about_it(calendar: Callable[..., Any], fresh: Any, tell: Any) -> None:
    tell(
        fresh,
        "insert into ops.instruments (asset_class, calendar) values ('stocks', 'NYSE')",
        "insert into ops.instrument_tickers values ('GE', '1962-01-02', null, 1, 'tape')",
    )
    words = (
        "--kind",
        "halt",
        "--at",
        "10:00",
        "--until",
        "10:45",
        "--symbol",
        "ge",
        "--reason",
        "news",
        "--evidence",
        "tape",
    )
    assert calendar("exceptions", "add", "NYSE", "1999-12-30", *words).code == 0
    (listed,) = json.loads(calendar("exceptions", "list", "--format", "json").out)
    assert (listed["instrument_id"], listed["evidence"]) == (1, {"evidence": "tape"})
    assert (listed["starts_at"], listed["ends_at"]) == ("1999-12-30T15:00:00Z", "1999-12-30T15:45:00Z")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "XLON"], 2, "NYSE, 24/7"),
        (["show", "NYSE", "--from", "2000-01-05", "--to", "2000-01-01"], 2, "exclusive"),
        (["exceptions", "add", "NYSE", "1999-12-31", "--kind", "early_close", "--reason", "x"], 2, "--at HH:MM"),
        (["exceptions", "add", "NYSE", "1999-12-31", "--kind", "halt", "--at", "noon", "--reason", "x"], 2, "'noon'"),
        (
            ["exceptions", "add", "NYSE", "1999-12-31", "--kind", "closure", "--at", "13:00", "--reason", "x"],
            2,
            "whole",
        ),
        (["exceptions", "add", "NYSE", "2000-01-01", "--kind", "closure", "--reason", "x"], 2, "none of them"),
        (["exceptions", "add", "NYSE", "soon", "--kind", "closure", "--reason", "x"], 2, "'soon'"),
        (
            ["exceptions", "add", "NYSE", "1999-12-31", "--kind", "late_open", "--at", "09:00", "--reason", "x"],
            2,
            "none of",
        ),
        (["exceptions", "remove", "9"], 3, "Exception 9"),
    ],
)
def test_command_that_cannot_work_says_why(
    calendar: Callable[..., Any], arguments: list[str], code: int, words: str
) -> None:
    outcome = calendar(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
