"""What a study found, and how much of it may be luck."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest import (
    METRICS,
    BacktestResult,
    Execution,
    KernelMetrics,
    Panel,
    buy_and_hold,
    require_bars,
    run_backtest,
)
from chandlery.optimize.objective import MIN_TRADES, best_of
from chandlery.optimize.overfitting import expected_max_sharpe, psr, return_shape
from chandlery.optimize.proposals import Plan
from chandlery.strategies import warmup_bars


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StudyResult:
    """The outcome of one study over one panel, all in sample.

    `evaluations`: one row per candidate in the order of evaluation: `number` (lattice point), one column per
    parameter, `score` (null where not ranked), one column per kernel metric. `best` is the full run of the best
    candidate, `benchmark` that of buy and hold. `psr` is the probability that its Sharpe ratio is above 0,
    `deflated_sharpe` that it is above `luck_sharpe`, what the best of so many worthless candidates would show;
    all three null if no candidate is ranked. `is_complete` is false for a study that was cancelled.
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
    psr: float | None
    luck_sharpe: float | None
    deflated_sharpe: float | None
    verdict: str

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


def conclude(
    plan: Plan,
    panel: Panel,
    numbers: NDArray[np.int64],
    metrics: NDArray[np.float64],
    score: NDArray[np.float64],
    *,
    definition_hash: str,
    execution: Execution,
) -> StudyResult:
    """Return the result of evaluated candidates."""
    strategy = plan.space.strategy
    position = _best_position(plan, panel, numbers, score)
    params = plan.space.values_at(int(numbers[position]))
    best = run_backtest(strategy, params, panel, execution)
    benchmark = buy_and_hold(panel, execution)
    ranked = score[np.isfinite(score)]
    luck, sharpe, deflated = _luck(best, ranked, trials=numbers.size)
    return StudyResult(
        strategy_name=strategy.name,
        definition_hash=definition_hash,
        panel_id=panel.panel_id,
        method=plan.method,
        seed=plan.seed,
        lattice_size=plan.space.size,
        is_complete=numbers.size >= plan.total,
        evaluations=_evaluations(plan, numbers, metrics, score),
        best=best,
        benchmark=benchmark,
        psr=sharpe,
        luck_sharpe=luck,
        deflated_sharpe=deflated,
        verdict=_verdict(best, benchmark, trials=numbers.size, deflated=deflated),
    )


def _best_position(plan: Plan, panel: Panel, numbers: NDArray[np.int64], score: NDArray[np.float64]) -> int:
    """Return the best candidate that fits the panel; without a ranked one the lowest lattice number that fits."""
    warmup = warmup_bars(plan.space.strategy, plan.space.rows(numbers))
    fitting = np.flatnonzero(warmup + 2 <= panel.bars)
    if not fitting.size:
        require_bars(panel, int(warmup.min()))
    return int(fitting[best_of(score[fitting], numbers[fitting])])


def _luck(
    best: BacktestResult, ranked: NDArray[np.float64], *, trials: int
) -> tuple[float | None, float | None, float | None]:
    shape = return_shape(best.returns[1:]) if ranked.size and best.returns.size > 3 else None
    if shape is None:
        return None, None, None
    variance = float(ranked.var(ddof=1)) if ranked.size > 1 else 0.0
    luck = expected_max_sharpe(trials=trials, variance=variance)
    above_zero, above_luck = (
        psr(shape.sharpe, benchmark=benchmark, n=shape.n, skew=shape.skew, kurtosis=shape.kurtosis)
        for benchmark in (0.0, luck)
    )
    return luck, above_zero, above_luck


def _evaluations(
    plan: Plan, numbers: NDArray[np.int64], metrics: NDArray[np.float64], score: NDArray[np.float64]
) -> pl.DataFrame:
    names, rows = plan.space.strategy.param_names, plan.space.rows(numbers)
    columns: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {"number": numbers}
    columns |= {name: rows[:, index] for index, name in enumerate(names)}
    columns |= {"score": np.where(np.isfinite(score), score, np.nan)}
    columns |= {name: metrics[:, index] for index, name in enumerate(METRICS)}
    counts = [pl.col(name).cast(pl.Int64) for name in ("closed_trades", "wins", "exposure_bars")]
    return pl.DataFrame(columns).with_columns(pl.col("score", "bar_sharpe").fill_nan(None), *counts)


def _verdict(best: BacktestResult, benchmark: BacktestResult, *, trials: int, deflated: float | None) -> str:
    if deflated is None:
        return f"No candidate of {trials} closed {MIN_TRADES} trades: this panel says nothing about the strategy."
    named = ", ".join(f"{name} {value:g}" for name, value in best.params.items()) or "no parameters"
    opening = f"Best of {trials} candidates: {named}; deflated Sharpe ratio {deflated:.2f}"
    if deflated < 0.95:
        return f"{opening}, below 0.95: luck in the search explains the result well enough."
    own, held = best.metrics.bar_sharpe, benchmark.metrics.bar_sharpe
    if not own > held:
        return f"{opening}, so luck is unlikely, but its Sharpe ratio per bar {own:.4f} is below holding's {held:.4f}."
    return f"{opening}, so luck is unlikely, and its Sharpe ratio per bar {own:.4f} is above holding's {held:.4f}."
