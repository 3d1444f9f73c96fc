"""The study: a search, and what it shows."""

from collections.abc import Callable, Sequence

from chandlery.backtest import Execution, Panel
from chandlery.errors import ResearchError
from chandlery.optimize.batches import MemoryRecord, Record
from chandlery.optimize.facts import Ranges
from chandlery.optimize.objective import OBJECTIVE
from chandlery.optimize.progress import Progress
from chandlery.optimize.result import StudyResult, conclude
from chandlery.optimize.search import run_search
from chandlery.strategies import Strategy


def run_study(
    strategy: Strategy,
    panel: Panel,
    *,
    execution: Execution,
    budget: int,
    seed: int,
    study_name: str = "study",
    record: Record | None = None,
    objectives: Sequence[str] = (OBJECTIVE,),
    method: str | None = None,
    ranges: Ranges | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StudyResult:
    """Search the parameters of `strategy` on `panel` (see `run_search`) and conclude from what was evaluated.

    `record` None keeps the batches in memory.

    Raises:
        InvalidInput: for a budget below 1, unknown objectives, method or ranges.
        EmptySpace: for a space without a point.
        ResearchError: for a panel too short for every candidate, a study of that name that asks something else,
            or a cancellation before the first batch.
    """
    outcome = run_search(
        strategy,
        panel,
        execution=execution,
        budget=budget,
        seed=seed,
        study_name=study_name,
        record=record if record is not None else MemoryRecord(),
        objectives=objectives,
        method=method,
        ranges=ranges,
        progress=progress,
        cancelled=cancelled,
    )
    if not outcome.table.size:
        raise ResearchError("The study was cancelled before its first batch: there is nothing to conclude from.")
    return conclude(outcome, panel, execution)
