"""Findings as people see and decide them: listed, shown, approved, dismissed, opened again.

| state       | means                                              | leaves it by                                  |
|-------------|----------------------------------------------------|-----------------------------------------------|
| `open`      | found, nobody has decided                          | approved, dismissed, repaired, found no more  |
| `confirmed` | a person agrees                                    | dismissed, reopened, repaired, found no more  |
| `repaired`  | found no more, or a repair of its bars was applied | found again, repair undone                    |
| `dismissed` | a person disagrees; found again, it stays so       | reopened, or its bar has a newer version      |

A finding never vanishes and keeps its number. Every change of state is an event; what is found the first time has its
`found_at`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from chandlery.errors import NotFound, WrongState
from chandlery.market.calendar import ZONES
from chandlery.store.tables import finding_events, findings, instrument_tickers
from chandlery.store.universe import find_record
from chandlery.store.warehouse import Reader, Writer

STATES = ("open", "confirmed", "repaired", "dismissed")


@dataclass(frozen=True, slots=True)
class _Step:
    to_state: str
    possible_in: tuple[str, ...]


_STEPS: Mapping[str, _Step] = MappingProxyType(
    {
        "approved": _Step("confirmed", ("open",)),
        "dismissed": _Step("dismissed", ("open", "confirmed")),
        "reopened": _Step("open", ("dismissed", "confirmed")),
        "repair_applied": _Step("repaired", ("open", "confirmed")),
        "repair_undone": _Step("open", ("repaired",)),
    }
)
"""What may be decided, by event; the first of a target is the usual one."""
_USUAL = {step.to_state: event for event, step in reversed(list(_STEPS.items()))}
_COMMANDS = {"approved": "approve", "dismissed": "dismiss", "reopened": "reopen"}

_FINDING = findings.c


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """One finding; about a venue it has no instrument and its calendar's name for a symbol."""

    finding_id: int
    check: int
    rule: str
    severity: str
    symbol: str
    instrument_id: int | None
    calendar: str
    timeframe: str
    ts: datetime
    ts_end: datetime | None
    session: date
    last_session: date
    verdict: str
    state: str
    term: str
    evidence: Mapping[str, Any]
    found_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class FindingEvent:
    """One change of state: what happened, who did it, and the facts behind it."""

    happened_at: datetime
    event: str
    actor: str
    from_state: str
    to_state: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFilter:
    """Which findings; None is any. `first` to `last`, both inclusive, are sessions it touches."""

    symbol: str | None = None
    timeframe: str | None = None
    check: int | None = None
    rule: str | None = None
    severity: str | None = None
    verdict: str | None = None
    state: str | None = "open"
    first: date | None = None
    last: date | None = None
    only_costly: bool = False
    """Only what lowers a score: believed to be a defect, of a rule that costs."""


def list_findings(
    connection: Reader | Writer,
    wanted: FindingFilter,
    *,
    limit: int | None = None,
    cursor: int | None = None,
) -> tuple[StoredFinding, ...]:
    """Return findings, the newest instants first.

    Args:
        connection: a snapshot.
        wanted: which; a symbol may be a calendar, for findings about the venue.
        limit: at most so many.
        cursor: number of the last finding of the page before.

    Raises:
        NotFound: nobody is or was known under the symbol.
    """
    query = _chosen().where(*_conditions(connection, wanted)).order_by(_FINDING.ts.desc(), _FINDING.finding_id.desc())
    if cursor is not None:
        place = select(_FINDING.ts, _FINDING.finding_id).where(_FINDING.finding_id == cursor)
        query = query.where(tuple_(_FINDING.ts, _FINDING.finding_id) < place.scalar_subquery())
    return tuple(_finding(row) for row in connection.execute(query.limit(limit)))


def find_finding(connection: Reader | Writer, finding_id: int) -> StoredFinding:
    """Return one finding.

    Raises:
        NotFound: there is none of that number.
    """
    row = connection.execute(_chosen().where(_FINDING.finding_id == finding_id)).one_or_none()
    if row is None:
        raise NotFound(f"Finding {finding_id} does not exist; `chandlery findings --state any` lists all.")
    return _finding(row)


def events_of(connection: Reader | Writer, finding_id: int) -> tuple[FindingEvent, ...]:
    """Return what became of a finding since it was found, the oldest event first."""
    columns = finding_events.c
    names = (
        columns.happened_at,
        columns.event,
        columns.actor,
        columns.from_state,
        columns.to_state,
        columns.detail,
    )
    rows = connection.execute(select(*names).where(columns.finding_id == finding_id).order_by(columns.event_id))
    return tuple(FindingEvent(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows)


def decide(
    connection: Writer,
    finding_id: int,
    to_state: str,
    *,
    actor: str,
    note: str | None = None,
    event: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> StoredFinding:
    """Bring a finding into another state and note who did it; return it as it is then.

    Args:
        connection: the transaction; the finding is held until it ends.
        finding_id: which.
        to_state: confirmed, dismissed, open or repaired.
        actor: who decides.
        note: why, in words.
        event: what happened, where it is not the usual step to that state: repair_undone.
        detail: facts behind it.

    Raises:
        NotFound: there is none of that number.
        WrongState: its state does not allow this step; nothing is changed.
    """
    connection.execute(select(_FINDING.finding_id).where(_FINDING.finding_id == finding_id).with_for_update())
    known = find_finding(connection, finding_id)
    name = event or _USUAL[to_state]
    if known.state not in _STEPS[name].possible_in:
        raise WrongState(_refusal(known, name))
    decided = None if to_state == "open" else func.clock_timestamp()
    mine = findings.update().where(_FINDING.finding_id == finding_id)
    connection.execute(mine.values(state=to_state, decided_at=decided))
    facts = dict(detail or {}) | ({"note": note} if note else {})
    values = {"finding_id": finding_id, "event": name, "actor": actor, "detail": facts}
    states = {"from_state": known.state, "to_state": to_state}
    connection.execute(finding_events.insert().values(happened_at=func.clock_timestamp(), **values, **states))
    return find_finding(connection, finding_id)


def _refusal(known: StoredFinding, event: str) -> str:
    wanted = _COMMANDS.get(event, event.replace("_", " "))
    possible = [
        f"`chandlery findings {_COMMANDS[name]} {known.finding_id}`"
        for name, step in _STEPS.items()
        if name in _COMMANDS and known.state in step.possible_in
    ]
    rest = f"possible now: {', '.join(possible)}" if possible else "nobody decides on it unless it is found again"
    return (
        f"Finding {known.finding_id} ({known.rule} of {known.symbol} {known.timeframe}) was to be {event} "
        f"and is {known.state}; to {wanted} it, it must be {' or '.join(_STEPS[event].possible_in)}; {rest}."
    )


def _chosen() -> Select[Any]:
    spans = instrument_tickers.c
    latest = (
        select(spans.instrument_id, spans.ticker)
        .ext(distinct_on(spans.instrument_id))
        .order_by(spans.instrument_id, spans.valid_from.desc())
        .subquery()
    )
    symbol = func.coalesce(latest.c.ticker, _FINDING.calendar).label("symbol")
    names = [name for name in StoredFinding.__slots__ if name != "symbol"]
    return select(*(_FINDING[name] for name in names), symbol).select_from(
        findings.outerjoin(latest, latest.c.instrument_id == _FINDING.instrument_id)
    )


def _conditions(connection: Reader | Writer, wanted: FindingFilter) -> list[ColumnElement[bool]]:
    equal = {name: getattr(wanted, name) for name in ("timeframe", "check", "rule", "severity", "verdict", "state")}
    conditions: list[ColumnElement[bool]] = [
        _FINDING[name] == value for name, value in equal.items() if value is not None
    ]
    if wanted.symbol in ZONES:
        conditions += [_FINDING.instrument_id.is_(None), _FINDING.calendar == wanted.symbol]
    elif wanted.symbol is not None:
        conditions.append(_FINDING.instrument_id == find_record(connection, wanted.symbol).instrument.instrument_id)
    if wanted.first is not None:
        conditions.append(_FINDING.last_session >= wanted.first)
    if wanted.last is not None:
        conditions.append(_FINDING.session <= wanted.last)
    if wanted.only_costly:
        conditions += [_FINDING.verdict.in_(("confirmed", "suspected")), _FINDING.term != "none"]
    return conditions


def _finding(row: Row[Any]) -> StoredFinding:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return StoredFinding(**{name: values[name] for name in StoredFinding.__slots__})
