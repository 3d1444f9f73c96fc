"""Which findings ask for a repair, and what was proposed for findings that ask no more."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select

from chandlery.store.findings import StoredFinding, find_finding
from chandlery.store.tables import findings, ingest_windows, quarantine, repairs
from chandlery.store.universe import find_record
from chandlery.store.warehouse import Reader, Writer

ASKING = ("open", "confirmed")
"""States of a finding in which a repair can be proposed."""


def findings_to_repair(connection: Reader | Writer, symbols: Collection[str] = ()) -> tuple[StoredFinding, ...]:
    """Return the findings whose bars may be wrong and can be asked for or computed anew, by series and ts.

    They are open or confirmed, suspected or confirmed in verdict, and critical, major or about a held bar. Those of an
    answer that is held as a whole are left out: another answer to its window settles them together.

    Raises:
        NotFound: nobody is or was known under one of the symbols.
    """
    found = findings.c
    query = (
        select(found.finding_id)
        .outerjoin(ingest_windows, ingest_windows.c.window_id == found.window_id)
        .where(
            found.instrument_id.is_not(None),
            found.state.in_(ASKING),
            found.verdict.in_(("confirmed", "suspected")),
            found.severity.in_(("critical", "major")) | _is_held(),
            func.coalesce(ingest_windows.c.status, "") != "quarantined",
        )
        .order_by(found.instrument_id, found.timeframe, found.ts, found.finding_id)
    )
    if symbols:
        numbers = [find_record(connection, symbol).instrument.instrument_id for symbol in symbols]
        query = query.where(found.instrument_id.in_(numbers))
    chosen: list[int] = list(connection.execute(query).scalars())
    return tuple(find_finding(connection, number) for number in chosen)


def retire_proposals(connection: Writer, *, actor: str) -> int:
    """Supersede the proposals of findings that are settled otherwise, and return how many there were."""
    settled = select(findings.c.finding_id).where(findings.c.state.not_in(ASKING))
    mine = (repairs.c.status == "proposed") & repairs.c.finding_id.in_(settled)
    values = {"status": "superseded", "decided_at": func.clock_timestamp(), "decided_by": actor}
    return connection.execute(repairs.update().where(mine).values(**values)).rowcount


def _is_held() -> ColumnElement[bool]:
    return (
        select(quarantine.c.ts)
        .where(
            quarantine.c.instrument_id == findings.c.instrument_id,
            quarantine.c.timeframe == findings.c.timeframe,
            quarantine.c.ts == findings.c.ts,
        )
        .exists()
    )
