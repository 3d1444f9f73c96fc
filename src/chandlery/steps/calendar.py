"""Make the calendar table: sessions as one library decides, votes of everybody else, findings where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import polars as pl

from chandlery.errors import NotFound, SourceError
from chandlery.log import get_logger
from chandlery.market.bars import check_range
from chandlery.market.calendar import CALENDAR_STARTS, ZONES, build_sessions, hours_of
from chandlery.market.calendar_votes import (
    DECIDER,
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
from chandlery.market.exchange_hours import Hours, exchange_calendars, pandas_market_calendars
from chandlery.market.session_exceptions import SessionException, days_of
from chandlery.sources.protocol import BarSource
from chandlery.store.calendar_findings import list_findings, record_findings
from chandlery.store.session_exceptions import list_exceptions
from chandlery.store.sessions import Rebuilt, count_sessions, replace_sessions, turnout
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

ANNOUNCER = "announcements"
VOTERS: Mapping[str, Hours] = {"exchange_calendars": exchange_calendars}
"""Who votes on NYSE beside the decider, the source's announcements and the bars."""

_EXCHANGE = "NYSE"
# What a calendar library was seen or can be expected to raise on a range or a version it does not like.
_BROKEN = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class CalendarReceipt:
    """Sessions by calendar, rows written or removed, and the findings that stand open."""

    sessions: dict[str, int]
    first: date
    last: date
    changed: int
    disagreements: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Open findings as rows, grouped; and how many of them are worth a person's time."""

    rows: tuple[dict[str, str], ...]
    worries: int


@dataclass(frozen=True, slots=True, eq=False)
class _Opinions:
    """What each voter says of NYSE, and who could not be heard."""

    hours: dict[str, pl.DataFrame]
    announcements: tuple[Announcement, ...]
    failures: dict[str, str]
    silent: tuple[str, ...]


def build_calendar(
    warehouse: Warehouse,
    *,
    end: date,
    start: date | None = None,
    source: BarSource | None = None,
    decide: Hours = pandas_market_calendars,
    voters: Mapping[str, Hours] = VOTERS,
) -> CalendarReceipt:
    """Write the sessions of every calendar with `start <= session < end`, and what the voters object to.

    Exceptions of a venue change its sessions. A voter that cannot be heard is a finding; where the decider itself
    cannot, the sessions stay as they are.

    Args:
        warehouse: where the table lies.
        end: day after the last one.
        start: first day; None: where each calendar begins.
        source: asked for coming holidays, if given.
        decide: says which sessions NYSE has.
        voters: say so too, by name.

    Raises:
        InvalidInput: unless `start < end`.
        NotFound: the decider cannot be heard and the table holds nothing yet.
    """
    check_range(start or CALENDAR_STARTS[_EXCHANGE], end)
    spans = {calendar: (start or first, end) for calendar, first in CALENDAR_STARTS.items() if (start or first) < end}
    opinions = _ask(spans[_EXCHANGE], source, decide, voters)
    counts: dict[str, int] = {}
    changed = 0
    for calendar, span in spans.items():
        found = opinions if calendar == _EXCHANGE else _Opinions({DECIDER: hours_of(calendar, *span)}, (), {}, ())
        counts[calendar], rebuilt = _rebuild(warehouse, calendar, span, found)
        changed += rebuilt.written + rebuilt.removed
    standing = standing_disagreements(warehouse)
    log.info("calendar_built", changed=changed, disagreements=standing.worries, **counts)
    held = {calendar: count for calendar, count in counts.items() if count}
    return CalendarReceipt(held, min(first for first, _ in spans.values()), end, changed, standing.rows)


def standing_disagreements(warehouse: Warehouse) -> Disagreements:
    """Return the open findings by rule and severity; those above info are the worries."""
    with warehouse.read() as connection:
        found = list_findings(connection)
    groups: dict[tuple[str, str, str], list[date]] = {}
    for item in found:
        groups.setdefault((item.calendar, item.rule, item.severity), []).append(item.session)
    order = ("critical", "major", "minor", "info")
    rows = tuple(
        {
            "calendar": calendar,
            "rule": rule,
            "severity": severity,
            "days": str(len(days)),
            "first": min(days).isoformat(),
            "last": max(days).isoformat(),
        }
        for (calendar, rule, severity), days in sorted(groups.items(), key=lambda item: order.index(item[0][2]))
    )
    return Disagreements(rows, sum(item.severity != "info" for item in found))


def _ask(span: tuple[date, date], source: BarSource | None, decide: Hours, voters: Mapping[str, Hours]) -> _Opinions:
    hours: dict[str, pl.DataFrame] = {}
    failures: dict[str, str] = {}
    for name, ask in {DECIDER: decide, **voters}.items():
        try:
            hours[name] = ask(*span)
        except _BROKEN as error:
            failures[name] = f"{type(error).__name__}: {error}"
    announcements: tuple[Announcement, ...] = ()
    if source is not None:
        try:
            announcements = _announced(source)
        except SourceError as error:
            failures[ANNOUNCER] = f"{error.code}: {error}"
    if announcements:
        hours[ANNOUNCER] = announced_hours(announcements)
    silent = (*failures, *([] if announcements else [ANNOUNCER]))
    for name, reason in failures.items():
        log.warning("calendar_provider_gave_no_vote", provider=name, reason=reason)
    return _Opinions(hours, announcements, failures, silent)


def _announced(source: BarSource) -> tuple[Announcement, ...]:
    return tuple(
        Announcement(item.day, item.name, item.is_closed, item.open, item.close)
        for item in source.fetch_holidays()
        if item.exchange == _EXCHANGE
    )


def _rebuild(warehouse: Warehouse, calendar: str, span: tuple[date, date], opinions: _Opinions) -> tuple[int, Rebuilt]:
    start, end = span
    with warehouse.read() as connection:
        exceptions = [item.exception for item in list_exceptions(connection, calendar)]
        trading = {day: votes for day, votes in turnout(connection, calendar).items() if start <= day < end}
        standing = count_sessions(connection, calendar)
    failed = _failures(opinions, start)
    if DECIDER not in opinions.hours:
        if not standing:
            raise NotFound(f"{DECIDER} gave no sessions of {calendar} and none stand: {opinions.failures[DECIDER]}")
        with warehouse.write() as connection:
            unheard = (DECIDER, "data")
            record_findings(connection, failed, calendar=calendar, start=start, end=end, silent=unheard)
        return standing, Rebuilt(0, 0)
    built = build_sessions(calendar, opinions.hours[DECIDER], exceptions)
    reasons = _exceptional(calendar, exceptions, opinions.hours[DECIDER])
    votes = votes_of(opinions.hours, start, end) if calendar == _EXCHANGE else {}
    _add_votes(votes, trading, reasons)
    differences = [*failed, *_differences(opinions, span), *_closed_by_exception(reasons, built)]
    found = merged([*differences, *trading_disagrees(built["session"], trading)], reasons)
    with warehouse.write() as connection:
        rebuilt = replace_sessions(connection, built, calendar=calendar, start=start, end=end, votes=votes)
        record_findings(connection, found, calendar=calendar, start=start, end=end, silent=opinions.silent)
    return built.height, rebuilt


def _failures(opinions: _Opinions, day: date) -> list[CalendarFinding]:
    if not opinions.failures:
        return []
    severity = "major" if DECIDER in opinions.failures else "minor"
    return [CalendarFinding(day, "provider_gives_no_vote", severity, opinions.failures)]


def _differences(opinions: _Opinions, span: tuple[date, date]) -> list[CalendarFinding]:
    start, end = span
    table = opinions.hours[DECIDER]
    found: list[CalendarFinding] = []
    for name, hours in opinions.hours.items():
        if name == DECIDER:
            continue
        days = hours["session"]
        first, last = (start, end) if name != ANNOUNCER else _announced_span(opinions.announcements, start, end)
        if not days.is_empty() and first < last:
            found += disputes(table, hours, voter=name, start=first, end=last)
    holidays = announced_holidays(table, opinions.announcements, voter=ANNOUNCER)
    named = {item.session for item in holidays}
    found = [item for item in found if item.rule != "session_is_disputed" or item.session not in named]
    return [*found, *(item for item in holidays if start <= item.session < end)]


def _announced_span(announcements: Sequence[Announcement], start: date, end: date) -> tuple[date, date]:
    days = [item.day for item in announcements]
    return max(start, min(days)), min(end, max(days) + timedelta(days=1))


def _exceptional(calendar: str, exceptions: Sequence[SessionException], hours: pl.DataFrame) -> dict[date, str]:
    """Return kind and reason of the venue's exceptions by the days they change."""
    sessions = set(hours["session"])
    reasons: dict[date, str] = {}
    for item in exceptions:
        if item.moves_sessions:
            first, last = days_of(item, ZONES[calendar])
            for offset in range((last - first).days):
                reasons[first + timedelta(days=offset)] = f"{item.kind.value}: {item.reason}"
    return {day: reason for day, reason in reasons.items() if day in sessions}


def _closed_by_exception(reasons: Mapping[date, str], built: pl.DataFrame) -> list[CalendarFinding]:
    """Say of sessions that a closure took away what their rows no longer can."""
    gone = sorted(reasons.keys() - set(built["session"]))
    return [CalendarFinding(day, "session_is_disputed", "info", {"exception": reasons[day]}) for day in gone]


def _add_votes(votes: dict[date, dict[str, str]], trading: Mapping[date, Turnout], reasons: Mapping[date, str]) -> None:
    for day, found in trading.items():
        votes.setdefault(day, {})["data"] = found.text
    for day, reason in reasons.items():
        votes.setdefault(day, {})["exception"] = reason


def findings_as_rows(
    warehouse: Warehouse, *, calendar: str | None = None, state: str | None = "open"
) -> tuple[dict[str, object], ...]:
    """Return findings as rows for a person, the newest days first."""
    with warehouse.read() as connection:
        return tuple(asdict(item) for item in list_findings(connection, calendar=calendar, state=state))
