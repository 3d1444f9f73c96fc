"""Exceptions change the sessions they are about, and no others."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chandlery.errors import InvalidInput
from chandlery.market.calendar import build_sessions, hours_of
from chandlery.market.session_exceptions import ExceptionKind, SessionException, days_of, touches

WEEK = hours_of("NYSE", date(2024, 1, 8), date(2024, 1, 13))
NEW_YORK = ZoneInfo("America/New_York")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK)  # type: ignore[misc, arg-type]


def told(kind: ExceptionKind, starts: datetime, ends: datetime, *, instrument: int | None = None) -> SessionException:
    return SessionException("NYSE", kind, starts, ends, "storm", instrument)


def built(*exceptions: SessionException) -> dict[date, dict[str, object]]:
    frame = build_sessions("NYSE", WEEK, exceptions)
    return {row["session"]: row for row in frame.to_dicts()}


def test_closure_takes_whole_sessions_away() -> None:
    closure = told(ExceptionKind.CLOSURE, local(2024, 1, 9), local(2024, 1, 11))
    assert sorted(built(closure)) == [date(2024, 1, day) for day in (8, 11, 12)]


def test_closure_of_a_part_of_a_session_takes_nothing_away() -> None:
    closure = told(ExceptionKind.CLOSURE, local(2024, 1, 9, 9, 30), local(2024, 1, 9, 12))
    assert len(built(closure)) == 5
    assert not touches(closure, WEEK)


def test_early_close_at_one_makes_a_half_day_with_its_shorter_evening() -> None:
    row = built(told(ExceptionKind.EARLY_CLOSE, local(2024, 1, 9, 13), local(2024, 1, 10)))[date(2024, 1, 9)]
    # 13:00 and 17:00 in New York in winter.
    assert (row["close"], row["post_close"]) == (
        datetime(2024, 1, 9, 18, tzinfo=UTC),
        datetime(2024, 1, 9, 22, tzinfo=UTC),
    )
    assert row["is_early"] is True


def test_late_open_moves_the_open_of_its_day_only() -> None:
    rows = built(told(ExceptionKind.LATE_OPEN, local(2024, 1, 9), local(2024, 1, 9, 11)))
    opens = {day: row["open"] for day, row in rows.items()}
    assert opens.pop(date(2024, 1, 9)) == datetime(2024, 1, 9, 16, tzinfo=UTC)
    assert {moment.hour for moment in opens.values()} == {14}  # type: ignore[attr-defined]
    assert rows[date(2024, 1, 9)]["is_early"] is False


@pytest.mark.parametrize(
    "item",
    [
        told(ExceptionKind.HALT, local(2024, 1, 9, 10), local(2024, 1, 9, 11)),
        told(ExceptionKind.CLOSURE, local(2024, 1, 9), local(2024, 1, 10), instrument=7),
        told(ExceptionKind.EARLY_CLOSE, local(2024, 1, 9, 18), local(2024, 1, 10)),
    ],
    ids=["halt", "one instrument", "after the close"],
)
def test_what_does_not_concern_the_hours_of_the_venue_leaves_them(item: SessionException) -> None:
    assert built(item) == built()


def test_days_of_an_exception_are_those_of_the_market() -> None:
    # 20:00 in New York is the next day in UTC.
    evening = told(ExceptionKind.HALT, local(2024, 1, 9, 19), local(2024, 1, 9, 20))
    assert days_of(evening, "America/New_York") == (date(2024, 1, 9), date(2024, 1, 10))
    assert days_of(evening, "UTC") == (date(2024, 1, 10), date(2024, 1, 11))


def test_exception_that_says_nothing_is_refused() -> None:
    starts, ends = local(2024, 1, 9), local(2024, 1, 10)
    with pytest.raises(InvalidInput, match="exclusive"):
        told(ExceptionKind.CLOSURE, ends, starts)
    with pytest.raises(InvalidInput, match="time zone"):
        told(ExceptionKind.CLOSURE, starts.replace(tzinfo=None), ends)
    with pytest.raises(InvalidInput, match="reason"):
        SessionException("NYSE", ExceptionKind.CLOSURE, starts, ends, " ")
