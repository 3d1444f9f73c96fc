"""What one study found, as it is stored: for the command line, a run's metadata and its checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chandlery.reports.preview import sparkline_svg
from chandlery.store.study_reads import StudyRow, find_study, read_equity
from chandlery.store.warehouse import Warehouse

Line = Mapping[str, object]

_FIGURES = (
    ("psr", "probability that the Sharpe ratio is above 0"),
    ("deflated_sharpe", "the same against what the best of all attempts shows by luck"),
    ("pbo", "probability of backtest overfitting"),
    ("min_track_record", "returns needed to believe the ratio"),
    ("reality_check_p", "White's reality check, p"),
    ("spa_consistent_p", "Hansen's SPA, p"),
    ("effective_trials", "attempts after their correlation"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReceipt:
    """One study. `is_finished` is false for one that was cancelled: what it evaluated is kept, it has no answer yet.

    `was_stored`: nothing was evaluated, the answer stood already.
    """

    study_id: str
    strategy: str
    symbol: str
    timeframe: str
    method: str
    trials: int
    is_finished: bool
    was_stored: bool
    best: Mapping[str, float | int]
    metrics: tuple[Line, ...]
    evidence: Mapping[str, Any]
    verdict: str
    plot: str | None

    @property
    def summary(self) -> dict[str, object]:
        """One row for a table of studies."""
        best = ", ".join(f"{name} {value:g}" for name, value in self.best.items())
        return {
            "strategy": self.strategy,
            "symbol": self.symbol,
            "method": self.method,
            "trials": self.trials,
            "best": best,
            "verdict": self.verdict,
        }

    @property
    def evidence_rows(self) -> tuple[Line, ...]:
        """The figures of luck, one row each, those that exist."""
        return evidence_rows(self.evidence)


def stored_receipt(warehouse: Warehouse, study_id: str, *, was_stored: bool) -> StudyReceipt:
    """Return the receipt of a study as it stands in the warehouse.

    Raises:
        NotFound: no such study.
    """
    row = find_study(warehouse, study_id)
    finished = row.finished_at is not None
    curve = read_equity(warehouse, row.study_id)["equity"].to_list() if finished else []
    return StudyReceipt(
        study_id=row.study_id,
        strategy=row.strategy,
        symbol=row.symbol,
        timeframe=row.timeframe,
        method=row.method,
        trials=row.trials,
        is_finished=finished,
        was_stored=was_stored,
        best=dict(row.best_params or {}),
        metrics=metric_rows(row),
        evidence=row.evidence or {},
        verdict=row.verdict or "cancelled before its end; what was evaluated is kept",
        plot=sparkline_svg(curve, width=640, height=160) if len(curve) > 1 else None,
    )


def metric_rows(row: StudyRow) -> tuple[Line, ...]:
    """Return the metrics of the best candidate beside those of buy and hold."""
    metrics = row.metrics or {}
    names = [name for name in metrics if f"benchmark_{name}" in metrics]
    return tuple(
        {"metric": name, "best": metrics[name], "buy and hold": metrics[f"benchmark_{name}"]} for name in names
    )


def evidence_rows(evidence: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return the figures of luck as rows: figure, value, meaning."""
    return tuple(
        {"figure": name, "value": f"{evidence[name]:.4g}", "meaning": meaning}
        for name, meaning in _FIGURES
        if evidence.get(name) is not None
    )
