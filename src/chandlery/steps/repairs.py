"""Repair: climb the ladder for each finding that asks for it, and decide on what was proposed.

An exact proposal may be applied at once, every other waits for a person.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chandlery.errors import SourceError, WrongState
from chandlery.log import get_logger
from chandlery.quality.repairs.ladder import propose
from chandlery.sources.protocol import BarSource
from chandlery.steps.refetch import Refetcher
from chandlery.steps.repair_ladder import Ladder, Methods, RepairStep
from chandlery.steps.repair_views import FindingViews
from chandlery.store import repair_decisions
from chandlery.store.findings import StoredFinding, find_finding
from chandlery.store.repair_candidates import ASKING, findings_to_repair, retire_proposals
from chandlery.store.repairs import StoredRepair, find_repair, list_repairs
from chandlery.store.warehouse import Warehouse

__all__ = [
    "Methods",
    "RepairReceipt",
    "RepairStep",
    "approve_finding",
    "computed_repairs",
    "dismiss_finding",
    "find_repairs",
    "propose_repairs",
    "read_repair",
    "revert_repair",
]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RepairReceipt:
    """What a run proposed and applied, and which symbols the source failed for."""

    steps: tuple[RepairStep, ...]
    retired: int = 0
    failures: Mapping[str, SourceError] = field(default_factory=dict)

    def count(self, outcome: str) -> int:
        """Return how many findings had an outcome."""
        return sum(step.outcome == outcome for step in self.steps)


def propose_repairs(
    source: BarSource | None,
    warehouse: Warehouse,
    *,
    symbols: Collection[str] = (),
    findings: Collection[int] = (),
    methods: Methods | None = None,
    auto_apply: bool = False,
    actor: str = "ladder",
) -> RepairReceipt:
    """Propose a repair for every finding that asks for one; the same proposal is not written twice.

    A finding keeps one open proposal, that of the highest rung. Whatever the source fails at, the other rungs are
    climbed; each finding is a transaction of its own, so a kill loses the one under way and nothing else.

    Args:
        source: asked again twice for each finding; None: not asked.
        warehouse: where findings, bars and proposals are.
        symbols: only these instruments; none: all.
        findings: only these, whatever their severity.
        methods: computed repairs; None: none.
        auto_apply: apply exact proposals at once, unless the same values were rejected or taken back before.
        actor: who is noted as proposing and applying.

    Raises:
        NotFound: an unknown symbol or finding.
        WrongState: a finding that was named is settled.
    """
    refetcher = None if source is None else Refetcher(source, warehouse)
    with warehouse.write() as connection:
        retired = retire_proposals(connection, actor=actor)
    chosen = _named(warehouse, findings) if findings else _asking(warehouse, symbols)
    ladder = Ladder(warehouse, refetcher, methods, auto_apply=auto_apply, actor=actor)
    steps = tuple(ladder.climb(finding) for finding in chosen)
    receipt = RepairReceipt(steps, retired, {} if refetcher is None else dict(refetcher.failures))
    log.info("repairs_proposed", proposed=receipt.count("proposed"), applied=receipt.count("applied"), seen=len(steps))
    return receipt


def computed_repairs(warehouse: Warehouse, thresholds: Mapping[str, float]) -> Methods:
    """Return the methods of `quality/repairs` over what the warehouse holds."""
    return Methods(FindingViews(warehouse, thresholds).of, propose)


def approve_finding(warehouse: Warehouse, finding_id: int, *, actor: str, note: str | None = None) -> StoredFinding:
    """Apply the open proposal of a finding, else confirm it; one transaction.

    Raises:
        NotFound: there is no finding of that number.
        WrongState: its state does not allow it, or its bars changed since the proposal was made.
    """
    with warehouse.write() as connection:
        return repair_decisions.approve(connection, finding_id, actor=actor, note=note)


def dismiss_finding(warehouse: Warehouse, finding_id: int, *, actor: str, note: str | None = None) -> StoredFinding:
    """Dismiss a finding and reject its open proposal; one transaction.

    Raises:
        NotFound: there is no finding of that number.
        WrongState: its state does not allow it.
    """
    with warehouse.write() as connection:
        return repair_decisions.dismiss(connection, finding_id, actor=actor, note=note)


def revert_repair(warehouse: Warehouse, repair_id: int, *, actor: str, note: str | None = None) -> StoredRepair:
    """Put back what stood before an applied repair and open its finding again; one transaction.

    Raises:
        NotFound: there is no repair of that number.
        WrongState: it is not applied, or none of its bars stands any more.
    """
    with warehouse.write() as connection:
        return repair_decisions.revert(connection, repair_id, actor=actor, note=note)


def find_repairs(
    warehouse: Warehouse, *, status: str | None = None, symbol: str | None = None
) -> tuple[StoredRepair, ...]:
    """Return repairs, the latest first.

    Raises:
        NotFound: unknown symbol.
    """
    with warehouse.read() as connection:
        return list_repairs(connection, status=status, symbol=symbol)


def read_repair(warehouse: Warehouse, repair_id: int) -> StoredRepair:
    """Return one repair.

    Raises:
        NotFound: there is none of that number.
    """
    with warehouse.read() as connection:
        return find_repair(connection, repair_id)


def _asking(warehouse: Warehouse, symbols: Collection[str]) -> tuple[StoredFinding, ...]:
    with warehouse.read() as connection:
        return findings_to_repair(connection, symbols)


def _named(warehouse: Warehouse, numbers: Collection[int]) -> tuple[StoredFinding, ...]:
    with warehouse.read() as connection:
        found = tuple(find_finding(connection, number) for number in sorted(set(numbers)))
    for finding in found:
        if finding.state not in ASKING or finding.instrument_id is None:
            what = f"is {finding.state}" if finding.state not in ASKING else "is about a venue, which has no bars"
            raise WrongState(
                f"A repair was to be proposed for finding {finding.finding_id} ({finding.rule} of {finding.symbol}), "
                f"which {what}; it must be {' or '.join(ASKING)} and about an instrument."
            )
    return found
