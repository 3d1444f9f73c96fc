"""Votes on the calendar: other libraries, announcements and the bars themselves, held against what the table says.

A disagreement never stops anything: the table follows its decider, and each difference becomes a finding.

| rule                                | severity                                                                    |
|-------------------------------------|-----------------------------------------------------------------------------|
| `session_is_disputed`               | major; info before the daily partitions begin                               |
| `early_close_is_disputed`           | minor; info before the partitions, or when less than 15 minutes are at stake |
| `late_open_is_disputed`             | as above                                                                    |
| `regular_hours_are_disputed`        | info: one finding for a run of sessions, at its first                       |
| `holiday_is_announced`              | major: the table has a session that day                                     |
| `nobody_trades_in_session`          | major: at least 9 in 10 of at least 3 series that trade around it            |
| `everybody_trades_outside_sessions` | major: the same share has a bar where the table has no session               |
| `provider_gives_no_vote`            | minor; major if it is the one that decides                                  |
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby

import polars as pl

from chandlery.market.calendar import FIRST_SESSION
from chandlery.market.exchange_hours import HOURS_SCHEMA, NEW_YORK, local_instant

DECIDER = "pandas_market_calendars"
CLOSED = "closed"

EXPLAINED = {date(2002, 9, 11): "opened at noon, after the commemoration of the year before"}
"""Disputes of notable size that need no person: what the exchange is known to have done is what the table says."""

_OPEN, _CLOSE = time(9, 30), time(16)
_NOTABLE = timedelta(minutes=15)
_SHARE, _QUORUM = 0.9, 3


@dataclass(frozen=True, slots=True)
class CalendarFinding:
    """One disagreement about one day.

    Attributes:
        session: the day; of a run of days the first.
        rule: see the module.
        severity: major, minor or info.
        evidence: who says what.
        explanation: why the table is right as it stands; None while that is open.
    """

    session: date
    rule: str
    severity: str
    evidence: Mapping[str, str] = field(hash=False)
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One coming day on which an exchange says it is closed, or open at other hours."""

    day: date
    name: str
    is_closed: bool
    open: datetime | None = None
    close: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many series have a bar of a day, among those that have one shortly before and after."""

    present: int
    absent: int

    @property
    def text(self) -> str:
        """`present/all`."""
        return f"{self.present}/{self.present + self.absent}"

    def is_clear(self, votes: int) -> bool:
        """Whether `votes` of all are enough to decide; a quorum of two would take a vendor's gap for a holiday."""
        every = self.present + self.absent
        return every >= _QUORUM and votes >= _SHARE * every


@dataclass(frozen=True, slots=True)
class _Day:
    opens: datetime
    closes: datetime
    usual_open: datetime
    usual_close: datetime

    @property
    def text(self) -> str:
        return "-".join(f"{moment.astimezone(NEW_YORK):%H:%M}" for moment in (self.opens, self.closes))

    @property
    def usual(self) -> tuple[time, time]:
        return self.usual_open.astimezone(NEW_YORK).time(), self.usual_close.astimezone(NEW_YORK).time()


def announced_hours(announcements: Sequence[Announcement]) -> pl.DataFrame:
    """Return the sessions between the first and the last announcement in `HOURS_SCHEMA`, as an exchange says.

    A weekday it does not name is an ordinary one. Empty without announcements.
    """
    if not announcements:
        return pl.DataFrame(schema=HOURS_SCHEMA)
    named = {item.day: item for item in announcements}
    rows = []
    for offset in range((max(named) - min(named)).days + 1):
        day = min(named) + timedelta(days=offset)
        item = named.get(day)
        if day.weekday() >= 5 or (item is not None and item.is_closed):
            continue
        usual = (local_instant(day, _OPEN), local_instant(day, _CLOSE))
        actual = usual if item is None else (item.open or usual[0], item.close or usual[1])
        rows.append((day, *actual, *usual))
    return pl.DataFrame(rows, schema=HOURS_SCHEMA, orient="row")


def disputes(
    table: pl.DataFrame, opinion: pl.DataFrame, *, voter: str, start: date, end: date
) -> tuple[CalendarFinding, ...]:
    """Return where an opinion differs from the decider within `[start, end)`; both are frames in `HOURS_SCHEMA`."""
    ours, theirs = _days(table, start, end), _days(opinion, start, end)
    found = [_about_session(day, ours, theirs, voter) for day in sorted(ours.keys() ^ theirs.keys())]
    both = sorted(ours.keys() & theirs.keys())
    for day in both:
        found += _about_hours(day, ours[day], theirs[day], voter)
    return (*found, *_about_regular_hours(both, ours, theirs, voter))


def announced_holidays(
    table: pl.DataFrame, announcements: Iterable[Announcement], *, voter: str
) -> tuple[CalendarFinding, ...]:
    """Return the announced closures on days that have a session."""
    known = set(table["session"])
    return tuple(
        CalendarFinding(item.day, "holiday_is_announced", "major", {DECIDER: "open", voter: CLOSED, "name": item.name})
        for item in announcements
        if item.is_closed and item.day in known
    )


def trading_disagrees(sessions: Iterable[date], turnout: Mapping[date, Turnout]) -> tuple[CalendarFinding, ...]:
    """Return the days on which what traded contradicts the table, ascending."""
    known = set(sessions)
    found = []
    for day, votes in sorted(turnout.items()):
        if day in known and votes.is_clear(votes.absent):
            rule = "nobody_trades_in_session"
        elif day not in known and votes.is_clear(votes.present):
            rule = "everybody_trades_outside_sessions"
        else:
            continue
        found.append(CalendarFinding(day, rule, "major", {"data": votes.text}))
    return tuple(found)


def votes_of(opinions: Mapping[str, pl.DataFrame], start: date, end: date) -> dict[date, dict[str, str]]:
    """Return who says what of each day any of the opinions (in `HOURS_SCHEMA`) has as a session: `HH:MM-HH:MM`."""
    votes: dict[date, dict[str, str]] = {}
    for name, hours in opinions.items():
        for day, found in _days(hours, start, end).items():
            votes.setdefault(day, {})[name] = found.text
    return votes


def merged(findings: Iterable[CalendarFinding], reasons: Mapping[date, str]) -> tuple[CalendarFinding, ...]:
    """Return one finding for each day and rule, the evidence joined, by day; `reasons` explain those of their day."""
    by_key: dict[tuple[date, str], CalendarFinding] = {}
    for item in findings:
        key = (item.session, item.rule)
        before = by_key.get(key, item)
        worst = min(before.severity, item.severity, key=("major", "minor", "info").index)
        evidence = {**before.evidence, **item.evidence}
        by_key[key] = CalendarFinding(*key, worst, evidence, {**EXPLAINED, **reasons}.get(item.session))
    return tuple(by_key[key] for key in sorted(by_key))


def _days(hours: pl.DataFrame, start: date, end: date) -> dict[date, _Day]:
    chosen = hours.filter((pl.col("session") >= start) & (pl.col("session") < end)).select(list(HOURS_SCHEMA))
    return {row[0]: _Day(*row[1:]) for row in chosen.iter_rows()}


def _about_session(day: date, ours: Mapping[date, _Day], theirs: Mapping[date, _Day], voter: str) -> CalendarFinding:
    said = {name: days[day].text if day in days else CLOSED for name, days in ((DECIDER, ours), (voter, theirs))}
    return CalendarFinding(day, "session_is_disputed", "major" if day >= FIRST_SESSION else "info", said)


def _about_hours(day: date, ours: _Day, theirs: _Day, voter: str) -> Iterator[CalendarFinding]:
    said = {DECIDER: ours.text, voter: theirs.text}
    is_cut = (ours.closes < ours.usual_close, theirs.closes < theirs.usual_close)
    if any(is_cut) and ours.closes != theirs.closes:
        severity = _severity(day, ours.closes - theirs.closes)
        yield CalendarFinding(day, "early_close_is_disputed", severity, said)
    is_late = (ours.opens > ours.usual_open, theirs.opens > theirs.usual_open)
    if any(is_late) and ours.opens != theirs.opens:
        yield CalendarFinding(day, "late_open_is_disputed", _severity(day, ours.opens - theirs.opens), said)


def _severity(day: date, difference: timedelta) -> str:
    return "minor" if day >= FIRST_SESSION and abs(difference) >= _NOTABLE else "info"


def _about_regular_hours(
    both: Sequence[date], ours: Mapping[date, _Day], theirs: Mapping[date, _Day], voter: str
) -> Iterator[CalendarFinding]:
    for (mine, other), run in groupby(both, key=lambda day: (ours[day].usual, theirs[day].usual)):
        days = list(run)
        if mine != other:
            said = {name: f"{usual[0]:%H:%M}-{usual[1]:%H:%M}" for name, usual in ((DECIDER, mine), (voter, other))}
            span = {"last": days[-1].isoformat(), "sessions": str(len(days))}
            yield CalendarFinding(days[0], "regular_hours_are_disputed", "info", {**said, **span})
