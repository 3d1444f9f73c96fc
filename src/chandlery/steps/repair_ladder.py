"""The ladder of repairs: what the first rung that can tell proposes for one finding.

Ask the source again; else finer bars, exact arithmetic, another source (`quality/repairs`). A rung that fails costs its
finding the proposal and no other's.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

import polars as pl

from chandlery.errors import NotFound, WrongState
from chandlery.log import get_logger
from chandlery.market.calendar import ZONES
from chandlery.market.timeframes import Timeframe
from chandlery.quality.audit import audit
from chandlery.quality.context import AuditContext
from chandlery.quality.repairs.proposal import Proposal
from chandlery.quality.series.view import SeriesView
from chandlery.steps.refetch import Refetcher, note_refetch, refetched_proposal
from chandlery.store import repair_decisions
from chandlery.store.findings import StoredFinding, find_finding
from chandlery.store.repair_candidates import ASKING
from chandlery.store.repairs import find_repair, is_declined, note_proposal
from chandlery.store.sessions import sessions_between
from chandlery.store.universe import read_record
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

ViewOf = Callable[[StoredFinding], SeriesView]
"""Builds the series a finding is about, with what surrounds it."""
Propose = Callable[[SeriesView, Mapping[str, object]], Proposal | None]
"""Computes what the bars of a finding should be (its columns, `evidence` as JSON); None: this method cannot tell."""

_RAISED = (pl.exceptions.PolarsError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, NotFound)
"""What a method that does not work raises; it costs its finding's proposal and no other's."""


@dataclass(frozen=True, slots=True)
class Methods:
    """How repairs are computed when asking again did not help."""

    view_of: ViewOf
    propose: Propose


@dataclass(frozen=True, slots=True)
class RepairStep:
    """What one finding got.

    `outcome`: applied, proposed, unchanged (proposed before), ranks_below (a better proposal waits), needless (the
    bars stand so already), settled (by the repair of another), stale (the bars changed meanwhile), held_again (the
    audit objects to what was proposed), none, failed, or the event that says why asking again proposes nothing
    (`steps/refetch.py`).
    """

    finding_id: int
    symbol: str
    timeframe: str
    rule: str
    outcome: str
    method: str | None = None
    repair_id: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Climbs the rungs for findings of instruments; `methods` None: only asks again."""

    warehouse: Warehouse
    refetcher: Refetcher | None
    methods: Methods | None
    auto_apply: bool
    actor: str

    def climb(self, finding: StoredFinding) -> RepairStep:
        """Propose for one finding, and apply what is exact if that is wanted."""
        said = RepairStep(finding.finding_id, finding.symbol, finding.timeframe, finding.rule, "none")
        with self.warehouse.read() as connection:
            if find_finding(connection, finding.finding_id).state not in ASKING:
                return replace(said, outcome="settled")
        try:
            proposal, event = self._first(finding)
        except _RAISED as error:
            log.warning("repair_method_failed", finding=finding.finding_id, error=type(error).__name__)
            return replace(said, outcome="failed", error=f"{type(error).__name__}: {error}")
        if proposal is None:
            return replace(said, outcome=event or "none")
        if not _passes(self.warehouse, finding, proposal):
            return replace(said, outcome="held_again", method=proposal.method.value)
        with self.warehouse.write() as connection:
            noted = note_proposal(connection, finding, proposal, actor=self.actor)
        said = replace(said, outcome=noted.outcome, method=proposal.method.value, repair_id=noted.repair_id)
        return self._applied(finding, said) if self.auto_apply else said

    def _first(self, finding: StoredFinding) -> tuple[Proposal | None, str | None]:
        event = None
        answer = self.refetcher.ask(finding) if self.refetcher else None
        if answer is not None:
            found = refetched_proposal(self.warehouse, finding, answer)
            if isinstance(found, Proposal):
                return found, None
            event = found
            note_refetch(self.warehouse, finding, event, answer, actor=self.actor)
        if self.methods is None:
            return None, event
        row = {**asdict(finding), "evidence": json.dumps(finding.evidence)}
        return self.methods.propose(self.methods.view_of(finding), row), event

    def _applied(self, finding: StoredFinding, said: RepairStep) -> RepairStep:
        if said.repair_id is None or said.outcome not in {"proposed", "unchanged"}:
            return said
        try:
            with self.warehouse.write() as connection:
                repair = find_repair(connection, said.repair_id)
                if not repair.is_exact or is_declined(connection, repair):
                    return said
                repair_decisions.approve(connection, finding.finding_id, actor=self.actor)
        except WrongState as error:
            # An ingest or a person came in between; what they said stands.
            return replace(said, outcome="stale", error=str(error))
        return replace(said, outcome="applied")


def _passes(warehouse: Warehouse, finding: StoredFinding, proposal: Proposal) -> bool:
    """Whether no rule of the gate would hold a proposed bar: a repair is published audited, like any bar."""
    if proposal.after.is_empty() or finding.instrument_id is None:
        return True
    with warehouse.read() as connection:
        instrument = read_record(connection, finding.instrument_id).instrument
    days = proposal.after.get_column("ts").dt.convert_time_zone(ZONES[instrument.calendar]).dt.date()
    start, end = min(days), max(days) + timedelta(days=1)
    sessions = sessions_between(warehouse, instrument.calendar, start, end)
    context = AuditContext(instrument, Timeframe(finding.timeframe), start, end, sessions)
    return not audit(proposal.after, context).held
