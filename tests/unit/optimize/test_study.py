"""The study: a search and its conclusion, and its trials as Optuna stores them."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from chandlery.backtest import Panel, run_backtest
from chandlery.errors import ResearchError
from chandlery.optimize import MemoryRecord, Space, StudyResult, psr, return_shape, run_study
from chandlery.optimize.record import open_storage, store_trials
from chandlery.strategies import Strategy, get_strategy
from tests.builders.executions import costs

DONCHIAN, RSI, SMA = (get_strategy(name) for name in ("donchian_breakout", "rsi_revert", "sma_cross"))


def study(strategy: Strategy, panel: Panel, **changes: Any) -> StudyResult:
    """Run a study of 60 candidates; `changes` replace arguments."""
    arguments: dict[str, Any] = {"budget": 60, "seed": 7, "execution": costs(0.001, 0.0005)}
    return run_study(strategy, panel, **(arguments | changes))


def test_stored_trials_are_optunas_own_and_their_best_is_ours(panel: Panel, tmp_path: Path) -> None:
    record, url = MemoryRecord(), f"sqlite:///{tmp_path / 'studies.db'}"
    result = study(RSI, panel, record=record, budget=30)
    assert record.question is not None
    with open_storage(url) as storage:
        written = [
            store_trials(storage, "probe", Space(RSI), record.batches(), facts=record.question.facts) for _ in range(2)
        ]
        loaded = optuna.load_study(study_name="probe", storage=storage)
        assert written == [30, 0]
        assert len(loaded.trials) == 30
        assert loaded.best_trial.params == dict(result.best_params)
        assert loaded.best_value == result.best_metrics.bar_sharpe
        assert loaded.user_attrs["chandlery"]["panel_id"] == panel.panel_id


def test_study_cancelled_before_its_first_batch_has_nothing_to_conclude(panel: Panel) -> None:
    with pytest.raises(ResearchError, match="before its first batch"):
        study(SMA, panel, cancelled=lambda: True)


def test_study_of_the_same_seed_has_the_same_table_and_verdict(panel: Panel) -> None:
    first, second = study(RSI, panel), study(RSI, panel)
    assert first.evaluations.equals(second.evaluations)
    assert first.verdict == second.verdict


def test_statistics_are_those_of_the_best_run(panel: Panel) -> None:
    result = study(RSI, panel)
    run = run_backtest(RSI, result.best_params, panel, costs(0.001, 0.0005))
    shape = return_shape(run.returns[1:])
    assert shape is not None
    moments = {"n": shape.n, "skew": shape.skew, "kurtosis": shape.kurtosis}
    assert result.psr == pytest.approx(psr(shape.sharpe, benchmark=0.0, **moments), rel=1e-9)
    assert result.luck_sharpe is not None
    deflated = psr(shape.sharpe, benchmark=result.luck_sharpe, **moments)
    assert result.deflated_sharpe == pytest.approx(deflated, rel=1e-9)
    assert 0.0 < result.deflated_sharpe < result.psr
    assert result.benchmark.metrics.exposure_bars == panel.bars - 1
    assert f"DSR {result.deflated_sharpe:.2f}" in result.verdict


def test_study_without_a_ranked_candidate_says_so(panel: Panel) -> None:
    result = study(SMA, panel.head(260))
    assert result.deflated_sharpe is None
    assert result.evaluations["score"].null_count() == 60
    assert "says nothing" in result.verdict


def test_panel_too_short_for_every_candidate_is_refused(panel: Panel) -> None:
    with pytest.raises(ResearchError, match="take a longer period"):
        study(SMA, panel.head(40), budget=20)


def test_pure_noise_is_rarely_called_skill() -> None:
    called = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        close = 100.0 * np.exp(np.cumsum(rng.normal(-0.00008, 0.0126, 1_500)))
        opening = np.concatenate(([100.0], close[:-1]))
        bars = [opening, np.maximum(opening, close), np.minimum(opening, close), close, np.ones(1_500)]
        noise = Panel("NOISE", "1d", np.arange(1_500, dtype=np.int64), np.stack(bars))
        deflated = study(DONCHIAN, noise, execution=costs(0.0, 0.0)).deflated_sharpe
        called += deflated is not None and deflated > 0.95
    assert called <= 1
