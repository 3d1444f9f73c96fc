"""Findings as rows for a person or a program, and decisions on them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from chandlery.store.findings import (
    FindingEvent,
    FindingFilter,
    StoredFinding,
    decide,
    events_of,
    find_finding,
    list_findings,
)
from chandlery.store.warehouse import Warehouse

FindingRow = Mapping[str, object]
COLUMNS = (
    "id",
    "check",
    "rule",
    "severity",
    "symbol",
    "timeframe",
    "ts",
    "ts_end",
    "session",
    "last_session",
    "verdict",
    "state",
    "evidence",
)
"""Of a finding in a list."""


@dataclass(frozen=True, slots=True)
class FindingStory:
    """One finding and what became of it, the oldest event first."""

    finding: StoredFinding
    events: tuple[FindingEvent, ...]

    def as_row(self) -> dict[str, object]:
        """All that is known, as plain values."""
        more = {name: getattr(self.finding, name) for name in ("term", "calendar", "found_at", "decided_at")}
        return {**finding_row(self.finding), **more, "events": [asdict(event) for event in self.events]}


def finding_row(finding: StoredFinding) -> dict[str, object]:
    """Return a finding as a row of `COLUMNS`."""
    return {"id": finding.finding_id, **{name: getattr(finding, name) for name in COLUMNS if name != "id"}}


def find_findings(warehouse: Warehouse, wanted: FindingFilter, *, limit: int | None = None) -> list[FindingRow]:
    """Return findings as rows of `COLUMNS`, the newest instants first.

    Raises:
        NotFound: nobody is or was known under the symbol.
    """
    with warehouse.read() as connection:
        return [finding_row(finding) for finding in list_findings(connection, wanted, limit=limit)]


def read_finding(warehouse: Warehouse, finding_id: int) -> FindingStory:
    """Return a finding with its events.

    Raises:
        NotFound: there is none of that number.
    """
    with warehouse.read() as connection:
        return FindingStory(find_finding(connection, finding_id), events_of(connection, finding_id))


def reopen_finding(warehouse: Warehouse, finding_id: int, *, actor: str, note: str | None = None) -> StoredFinding:
    """Open a dismissed or confirmed finding again.

    Raises:
        NotFound: there is none of that number.
        WrongState: it is open or repaired; the message says what is possible.
    """
    with warehouse.write() as connection:
        return decide(connection, finding_id, "open", actor=actor, note=note)
