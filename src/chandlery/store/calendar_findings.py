"""Findings about the calendar: found, explained, closed when they no longer hold."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from chandlery.market.calendar_votes import CalendarFinding
from chandlery.store.tables import calendar_findings
from chandlery.store.warehouse import Reader, Writer

_TABLE = calendar_findings.c


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding and what became of it: `open`, `explained` or `closed`."""

    calendar: str
    session: date
    rule: str
    severity: str
    state: str
    evidence: Mapping[str, str]
    found_at: datetime


def record_findings(
    connection: Writer,
    findings: Iterable[CalendarFinding],
    *,
    calendar: str,
    start: date,
    end: date,
    silent: Collection[str] = (),
) -> None:
    """Store what was found in `[start, end)`, and close what was not found again.

    A finding that rests on a voter in `silent`, which was not heard this time, stays as it is.
    """
    kept: list[int] = []
    for item in findings:
        state = "open" if item.explanation is None else "explained"
        evidence = dict(item.evidence) | ({} if item.explanation is None else {"explanation": item.explanation})
        facts = {"calendar": calendar, "session": item.session, "rule": item.rule}
        statement = insert(calendar_findings).values(**facts, severity=item.severity, evidence=evidence, state=state)
        changes = {
            "severity": item.severity,
            "evidence": evidence,
            "state": state,
            "found_at": case((_TABLE.state == "closed", func.now()), else_=_TABLE.found_at),
        }
        upsert = statement.on_conflict_do_update(index_elements=list(facts), set_=changes)
        kept.append(connection.execute(upsert.returning(_TABLE.finding_id)).scalar_one())
    mine = (_TABLE.calendar == calendar) & (_TABLE.session >= start) & (_TABLE.session < end)
    closing = calendar_findings.update().where(mine, _TABLE.state != "closed", _TABLE.finding_id.not_in(kept or [0]))
    for voter in silent:
        closing = closing.where(~_TABLE.evidence.has_key(voter))
    connection.execute(closing.values(state="closed"))


def list_findings(
    connection: Reader, *, calendar: str | None = None, state: str | None = "open"
) -> tuple[StoredFinding, ...]:
    """Return the findings of one calendar or all, in one state or any, the newest days first."""
    query = select(calendar_findings).order_by(_TABLE.session.desc(), _TABLE.calendar, _TABLE.rule)
    if calendar is not None:
        query = query.where(_TABLE.calendar == calendar)
    if state is not None:
        query = query.where(_TABLE.state == state)
    names = ("calendar", "session", "rule", "severity", "state", "evidence", "found_at")
    return tuple(StoredFinding(**{name: row[name] for name in names}) for row in connection.execute(query).mappings())
