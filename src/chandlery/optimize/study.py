"""The study driver: proposes, evaluates in batches, records, resumes, concludes."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import optuna
from numpy.typing import NDArray

from chandlery.backtest import METRICS, Execution, Panel, evaluate_many
from chandlery.errors import InvalidInput, ResearchError
from chandlery.optimize.objective import scores
from chandlery.optimize.proposals import BATCH, Plan, make_plan, propose
from chandlery.optimize.record import finished_trials, open_storage, open_study, quiet_optuna, stored_numbers
from chandlery.optimize.result import StudyResult, conclude
from chandlery.optimize.space import Space
from chandlery.strategies import Strategy, definition_hash

Evaluate = Callable[[list[int]], NDArray[np.float64]]


def run_study(
    strategy: Strategy,
    panel: Panel,
    *,
    trials: int,
    seed: int,
    study_name: str,
    execution: Execution,
    storage_url: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StudyResult:
    """Search the parameters of `strategy` on `panel` with a budget of `trials` distinct candidates.

    The whole lattice is walked if it fits the budget, else it is sampled; the default parameters come first then.
    Finished trials are stored batch by batch in the Optuna study `study_name` at `storage_url` (a SQLAlchemy URL;
    None: in memory), at 20 to 40 ms a trial on PostgreSQL. A study that exists continues to the same total and
    the same table as an uninterrupted one. `progress(done, total)` is called after each batch; `cancelled()` is
    asked before each, and what was evaluated stays. Deterministic for a seed. One writer per study name.

    Raises:
        InvalidInput: for a budget below 1.
        ResearchError: for a panel too short for every candidate, a study of that name that answers another
            question, or a cancellation before the first batch.
    """
    if trials < 1:
        raise InvalidInput(f"trials was {trials}; a study takes at least 1.")
    plan = make_plan(Space(strategy), trials=trials, seed=seed)
    if plan.total == 0:
        raise ResearchError(f"No point of the lattice of {strategy.name} is within its constraints; relax them.")
    identity = _identity(strategy, panel, plan, execution)

    def evaluate(numbers: list[int]) -> NDArray[np.float64]:
        rows = plan.space.rows(np.array(numbers, dtype=np.int64))
        return evaluate_many(strategy, rows, panel, execution).metrics

    with quiet_optuna(), open_storage(storage_url) as storage:
        study = open_study(storage, study_name, identity)
        numbers, metrics = _search(plan, study, evaluate, progress=progress, cancelled=cancelled)
    return conclude(
        plan,
        panel,
        np.array(numbers, dtype=np.int64),
        metrics,
        scores(metrics),
        definition_hash=definition_hash(strategy),
        execution=execution,
    )


def _identity(strategy: Strategy, panel: Panel, plan: Plan, execution: Execution) -> dict[str, str | int | float]:
    """Return what makes two studies the same question."""
    return {
        "definition_hash": definition_hash(strategy),
        "panel_id": panel.panel_id,
        "method": plan.method,
        "trials": plan.total,
        "seed": plan.seed,
        **asdict(execution.costs),
        **{name: value for name, value in asdict(execution).items() if name != "costs"},
    }


def _search(
    plan: Plan,
    study: optuna.Study,
    evaluate: Evaluate,
    *,
    progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[list[int], NDArray[np.float64]]:
    """Return the evaluated lattice points and their metrics, in order.

    Metrics of stored trials are evaluated again, which is far cheaper than storing them. A batch that was stored
    in part is proposed again from the trials before it, and only what is missing is stored.
    """
    stored = stored_numbers(study, plan.space)
    numbers = stored[: len(stored) - len(stored) % BATCH] if len(stored) < plan.total else stored
    metrics = evaluate(numbers) if numbers else np.empty((0, len(METRICS)))
    while len(numbers) < plan.total:
        if cancelled is not None and cancelled():
            break
        batch = propose(plan, numbers, scores(metrics))
        found = evaluate(batch)
        kept = len(stored) - len(numbers) if len(stored) > len(numbers) else 0
        study.add_trials(finished_trials(plan.space, batch[kept:], scores(found)[kept:]))
        numbers, metrics = numbers + batch, np.concatenate([metrics, found])
        if progress is not None:
            progress(len(numbers), plan.total)
    if not numbers:
        raise ResearchError("The study was cancelled before its first batch: there is nothing to conclude from.")
    return numbers, metrics
