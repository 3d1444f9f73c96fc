"""What a study found, and how much of it may be luck."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest import (
    BLOCKS,
    METRICS,
    BacktestResult,
    Execution,
    KernelMetrics,
    Panel,
    buy_and_hold,
    require_bars,
    run_backtest,
)
from chandlery.errors import ResearchError
from chandlery.optimize.batches import STATES, State, Table
from chandlery.optimize.evaluate import Evaluator
from chandlery.optimize.evidence import Evidence
from chandlery.optimize.gathering import gather_evidence
from chandlery.optimize.objective import best_of
from chandlery.optimize.search import SearchOutcome
from chandlery.optimize.space import Space
from chandlery.strategies import warmup_bars


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StudyResult:
    """The outcome of one study over one panel.

    `evaluations`: one row per candidate in the order of evaluation: `number` (lattice point), one column per
    parameter, `score` (of the first objective, null where not ranked), one column per kernel metric. `best` is the
    full run of the best candidate in sample, `benchmark` that of buy and hold, `evidence` everything that says how
    much of it may be luck. `is_complete` is false for a study that was cancelled.
    """

    strategy_name: str
    definition_hash: str
    panel_id: str
    method: str
    seed: int
    lattice_size: int
    is_complete: bool
    evaluations: pl.DataFrame
    best: BacktestResult
    benchmark: BacktestResult
    evidence: Evidence

    @property
    def trials(self) -> int:
        """Number of distinct candidates evaluated."""
        return self.evaluations.height

    @property
    def best_params(self) -> Mapping[str, float | int]:
        """Parameters of the best candidate."""
        return self.best.params

    @property
    def best_metrics(self) -> KernelMetrics:
        """Kernel metrics of the best candidate."""
        return self.best.metrics

    @property
    def psr(self) -> float | None:
        """Probability that the Sharpe ratio of the best is above 0; None if no candidate is ranked."""
        return self.evidence.psr

    @property
    def luck_sharpe(self) -> float | None:
        """Sharpe ratio per bar the best of so many worthless candidates would show."""
        return self.evidence.luck_sharpe

    @property
    def deflated_sharpe(self) -> float | None:
        """Probability that the Sharpe ratio of the best is above `luck_sharpe`."""
        return self.evidence.deflated_sharpe

    @property
    def verdict(self) -> str:
        """One line a person can read."""
        return self.evidence.verdict


def conclude(outcome: SearchOutcome, panel: Panel, execution: Execution, *, earlier_trials: int = 0) -> StudyResult:
    """Return the result of a search: the full run of its best candidate beside buy and hold, with the evidence.

    Seed and objectives are those of the question. `earlier_trials` counts the candidates of studies of the same
    strategy and symbol before this one.

    Raises:
        ResearchError: for a search that evaluated nothing, or a panel too short for every candidate.
    """
    space, table, facts = outcome.space, outcome.table, outcome.question.facts
    number = int(table.numbers[_best_position(space, panel, table)])
    benchmark = buy_and_hold(panel, execution)

    evaluator = Evaluator(
        space=space, panel=panel, execution=execution, objectives=tuple(facts["objectives"]), blocks=BLOCKS
    )

    def evaluate(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        return evaluator.batch(numbers, index=0, part=0, first_seq=0, earlier=()).scores[:, 0]

    evidence = gather_evidence(
        space,
        table,
        panel,
        execution,
        earlier_trials=earlier_trials,
        seed=facts["seed"],
        benchmark=benchmark,
        evaluate=evaluate,
    )
    return StudyResult(
        strategy_name=space.strategy.name,
        definition_hash=facts["definition_hash"],
        panel_id=panel.panel_id,
        method=outcome.question.method or "",
        seed=facts["seed"],
        lattice_size=space.size,
        is_complete=outcome.is_complete,
        evaluations=_evaluations(space, table),
        best=run_backtest(space.strategy, space.values_at(number), panel, execution),
        benchmark=benchmark,
        evidence=evidence,
    )


def _best_position(space: Space, panel: Panel, table: Table) -> int:
    """Return the best ranked candidate; without one the lowest lattice number that was evaluated and fits the panel."""
    ranked = table.ranked
    if ranked.size:
        return int(ranked[best_of(table.scores[ranked, 0], table.numbers[ranked])])
    complete = np.flatnonzero(table.states != STATES.index(State.FAILED))
    if not complete.size:
        reasons = "; ".join(sorted(set(table.reasons.values()))[:3]) or "it was cancelled before its first batch"
        raise ResearchError(f"None of {table.size} candidates could be evaluated, so there is no result: {reasons}.")
    warmup = warmup_bars(space.strategy, space.rows(table.numbers[complete]))
    fitting = complete[warmup + 2 <= panel.bars]
    if not fitting.size:
        require_bars(panel, int(warmup.min()))
    return int(fitting[np.argmin(table.numbers[fitting])])


def _evaluations(space: Space, table: Table) -> pl.DataFrame:
    columns: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {"number": table.numbers}
    columns |= {name: table.params[:, index] for index, name in enumerate(space.strategy.param_names)}
    score = table.scores[:, 0]
    columns |= {"score": np.where(np.isfinite(score), score, np.nan)}
    columns |= {name: table.metrics[:, index] for index, name in enumerate(METRICS)}
    counts = [pl.col(name).fill_nan(None).cast(pl.Int64) for name in ("closed_trades", "wins", "exposure_bars")]
    return pl.DataFrame(columns).with_columns(pl.col("score", "bar_sharpe").fill_nan(None), *counts)
