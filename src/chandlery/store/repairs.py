"""Repairs as rows: proposed, applied, rejected, reverted, superseded; every step is an event of the finding.

| status       | means                                                                       |
|--------------|-----------------------------------------------------------------------------|
| `proposed`   | waits for a decision                                                        |
| `applied`    | its bars were published with reason `repair`                                |
| `rejected`   | its finding was dismissed                                                   |
| `reverted`   | what stood before its bars stands again                                     |
| `superseded` | a better proposal took its place, or the source answered with other values  |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import polars as pl
from sqlalchemy import Row, Select, func, select

from chandlery.errors import NotFound, WrongState
from chandlery.market.timeframes import Timeframe
from chandlery.store.bar_versions import hold_series
from chandlery.store.finding_notes import note_event
from chandlery.store.findings import StoredFinding
from chandlery.store.repair_bars import BarRow, instants_of, rows_at, rows_of, said_by
from chandlery.store.tables import instrument_tickers, repairs
from chandlery.store.universe import find_record
from chandlery.store.warehouse import Reader, Writer

STATUSES = ("proposed", "applied", "rejected", "reverted", "superseded")
METHODS = ("refetch", "finer", "arithmetic", "other_source")
"""The rungs of the ladder, from the top."""
_REPAIR = repairs.c


@dataclass(frozen=True, slots=True)
class StoredRepair:
    """One repair; `before` and `after` are bars as `store/repair_bars.py` keeps them, ascending by ts."""

    repair_id: int
    finding_id: int
    instrument_id: int
    symbol: str
    timeframe: str
    method: str
    status: str
    is_exact: bool
    before: list[BarRow]
    after: list[BarRow]
    evidence: Mapping[str, Any]
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    ingest_id: int | None
    undone_by: int | None

    @property
    def instants(self) -> list[datetime]:
        """The ts of its bars, ascending."""
        return instants_of(self.after)


class Proposed(Protocol):
    """What bars should be, as `quality/repairs` says it."""

    @property
    def method(self) -> str:
        """One of `METHODS`."""

    @property
    def is_exact(self) -> bool:
        """Proven: no person needs to look."""

    @property
    def before(self) -> pl.DataFrame:
        """The bars it was made from, in `BAR_SCHEMA`."""

    @property
    def after(self) -> pl.DataFrame:
        """The bars as they should be, in `BAR_SCHEMA`."""

    @property
    def evidence(self) -> Mapping[str, object]:
        """The figures behind it: JSON values."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of a proposal: `proposed`, `unchanged`, `ranks_below`, `needless` or `stale`; and which repair."""

    outcome: str
    repair_id: int | None = None


def list_repairs(
    connection: Reader | Writer, *, status: str | None = None, symbol: str | None = None, finding_id: int | None = None
) -> tuple[StoredRepair, ...]:
    """Return repairs, the latest first.

    Raises:
        NotFound: nobody is or was known under the symbol.
    """
    query = _chosen().order_by(_REPAIR.repair_id.desc())
    if status is not None:
        query = query.where(_REPAIR.status == status)
    if symbol is not None:
        query = query.where(_REPAIR.instrument_id == find_record(connection, symbol).instrument.instrument_id)
    if finding_id is not None:
        query = query.where(_REPAIR.finding_id == finding_id)
    return tuple(_repair(row) for row in connection.execute(query))


def find_repair(connection: Reader | Writer, repair_id: int) -> StoredRepair:
    """Return one repair.

    Raises:
        NotFound: there is none of that number.
    """
    row = connection.execute(_chosen().where(_REPAIR.repair_id == repair_id)).one_or_none()
    if row is None:
        raise NotFound(f"Repair {repair_id} does not exist; `chandlery repairs` lists all.")
    return _repair(row)


def open_proposal(connection: Reader | Writer, finding_id: int) -> StoredRepair | None:
    """Return the proposal of a finding that waits for a decision."""
    return next(iter(list_repairs(connection, status="proposed", finding_id=finding_id)), None)


def note_proposal(connection: Writer, finding: StoredFinding, proposal: Proposed, *, actor: str) -> Noted:
    """Keep a proposal, unless the finding has the same or one higher up the ladder.

    What stands at its bars is read anew and kept with it. A proposal made from other values is stale, one that would
    change nothing needless; neither is kept.

    Args:
        connection: the transaction; it holds the series until it ends.
        finding: of an instrument, open or confirmed.
        proposal: what its bars should be.
        actor: who proposes.
    """
    number, timeframe = _series(finding)
    hold_series(connection, number, timeframe)
    before = rows_at(connection, number, timeframe, instants_of(rows_of(proposal.after)))
    after = _news(rows_of(proposal.after), before)
    if not after:
        return Noted("needless")
    instants = {row["ts"] for row in after}
    before = [row for row in before if row["ts"] in instants]
    if not _saw(rows_of(proposal.before), before, instants):
        return Noted("stale")
    known = open_proposal(connection, finding.finding_id)
    if known is not None and said_by(known.before) == said_by(before):
        if (known.method, known.after) == (proposal.method, after):
            return Noted("unchanged", known.repair_id)
        if METHODS.index(known.method) < METHODS.index(proposal.method):
            return Noted("ranks_below", known.repair_id)
    if known is not None:
        set_status(connection, known.repair_id, "superseded", actor=actor)
    values = {
        "finding_id": finding.finding_id,
        "instrument_id": number,
        "timeframe": finding.timeframe,
        "method": str(proposal.method),
        "is_exact": proposal.is_exact,
        "before": before,
        "after": after,
        "evidence": dict(proposal.evidence),
        "proposed_at": func.clock_timestamp(),
    }
    repair_id: int = connection.execute(repairs.insert().values(values).returning(_REPAIR.repair_id)).scalar_one()
    detail = {"repair_id": repair_id, "method": str(proposal.method), "is_exact": proposal.is_exact}
    detail |= {"replaces": known.repair_id} if known else {}
    note_event(connection, finding.finding_id, "repair_proposed", actor=actor, detail=detail)
    return Noted("proposed", repair_id)


def is_declined(connection: Reader | Writer, repair: StoredRepair) -> bool:
    """Whether the same values for the same bars were rejected or taken back before."""
    others = list_repairs(connection, finding_id=repair.finding_id)
    declined = [other for other in others if other.status in {"rejected", "reverted"}]
    return any(said_by(other.after) == said_by(repair.after) for other in declined)


def require_fresh(connection: Reader | Writer, repair: StoredRepair) -> list[dict[str, Any]]:
    """Return what stands at a repair's bars, if it is what the proposal was made from.

    Raises:
        WrongState: it is not; the message names the first bar with both values.
    """
    now = rows_at(connection, repair.instrument_id, Timeframe(repair.timeframe), repair.instants)
    then, present = said_by(repair.before), said_by(now)
    if then != present:
        (ts, *_), *_ = sorted({*then} ^ {*present})
        raise WrongState(
            f"Repair {repair.repair_id} of finding {repair.finding_id} ({repair.symbol} {repair.timeframe}) is stale: "
            f"of {ts} it was made from {_close_of(then, ts)}, and now stands {_close_of(present, ts)}. Nothing was "
            f"changed. Propose anew: `chandlery repairs propose --finding {repair.finding_id}`."
        )
    return now


def set_status(connection: Writer, repair_id: int, status: str, *, actor: str, **facts: object) -> None:
    """Write the status of a repair, who decided it, and further columns."""
    values = {"status": status, "decided_at": func.clock_timestamp(), "decided_by": actor, **facts}
    connection.execute(repairs.update().where(_REPAIR.repair_id == repair_id).values(values))


def _series(finding: StoredFinding) -> tuple[int, Timeframe]:
    if finding.instrument_id is None:
        raise WrongState(
            f"Finding {finding.finding_id} ({finding.rule}) is about the venue {finding.symbol} and has no bars of its "
            "own to be repaired; approve or dismiss it."
        )
    return finding.instrument_id, Timeframe(finding.timeframe)


def _news(after: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the bars that differ from the published ones, or in whose place another is held."""
    published = set(said_by(row for row in before if "held" not in row))
    held = {row["ts"] for row in before if "held" in row}
    return [row for row in after if row["ts"] in held or said_by([row])[0] not in published]


def _saw(claimed: list[dict[str, Any]], before: list[dict[str, Any]], instants: set[str]) -> bool:
    """Whether a proposal was made from what stands: each bar it names is published or held with these values."""
    standing = {values[:-1] for values in said_by(before)}
    named = [row for row in claimed if row["ts"] in instants]
    published = {row["ts"] for row in before if "held" not in row}
    return all(said_by([row])[0][:-1] in standing for row in named) and published <= {row["ts"] for row in named}


def _close_of(said: list[tuple[object, ...]], ts: object) -> str:
    found = [f"{'held ' if row[-1] else ''}close {row[4]} volume {row[5]}" for row in said if row[0] == ts]
    return " and ".join(found) or "no bar"


def _chosen() -> Select[Any]:
    spans = instrument_tickers.c
    latest = (
        select(spans.ticker)
        .where(spans.instrument_id == _REPAIR.instrument_id)
        .order_by(spans.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    names = [name for name in StoredRepair.__slots__ if name != "symbol"]
    return select(*(_REPAIR[name] for name in names), latest.label("symbol"))


def _repair(row: Row[Any]) -> StoredRepair:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return StoredRepair(**{name: values[name] for name in StoredRepair.__slots__})
