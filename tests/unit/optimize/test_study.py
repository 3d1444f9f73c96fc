from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from chandlery.backtest import Panel, evaluate_many, run_backtest
from chandlery.errors import InvalidInput, ResearchError
from chandlery.optimize import BATCH, MIN_TRADES, StudyResult, psr, return_shape, run_study
from chandlery.strategies import Strategy, allowed_rows, get_strategy
from tests.builders.executions import costs

DONCHIAN, RSI, SMA = (get_strategy(name) for name in ("donchian_breakout", "rsi_revert", "sma_cross"))


def study(strategy: Strategy, panel: Panel, **changes: Any) -> StudyResult:
    """Run a study of 60 trials; `changes` replace arguments."""
    arguments: dict[str, Any] = {"trials": 60, "seed": 7, "study_name": "probe", "execution": costs(0.001, 0.0005)}
    return run_study(strategy, panel, **(arguments | changes))


def sqlite(folder: Path) -> str:
    """Return the URL of a database file."""
    return f"sqlite:///{folder / 'studies.db'}"


def test_lattice_within_the_budget_is_walked_in_full_and_its_optimum_is_exact(panel: Panel) -> None:
    result = study(DONCHIAN, panel, trials=2_888)
    grid = np.array([[entry, closing] for entry in range(5, 81) for closing in range(3, 41)], dtype=float)
    metrics = evaluate_many(DONCHIAN, grid, panel, costs(0.001, 0.0005))
    sharpes = np.where(metrics.column("closed_trades") >= MIN_TRADES, metrics.column("bar_sharpe"), -np.inf)
    assert (result.method, result.trials, result.lattice_size) == ("exhaustive", 2_888, 2_888)
    assert list(result.best_params.values()) == grid[np.argmax(sharpes)].tolist()
    assert result.best_metrics.bar_sharpe == sharpes.max()


def test_lattice_beyond_the_budget_is_sampled_without_repeats_from_the_defaults_on(panel: Panel) -> None:
    result = study(SMA, panel)
    rows = result.evaluations.select("fast", "slow").to_numpy()
    assert (result.method, result.trials, result.is_complete) == ("tpe", 60, True)
    assert rows[0].tolist() == [50, 200]
    assert result.evaluations["number"].n_unique() == 60
    assert allowed_rows(SMA, rows).all()


def test_same_seed_gives_the_same_table_and_another_seed_another(panel: Panel) -> None:
    first, second, other = study(RSI, panel), study(RSI, panel), study(RSI, panel, seed=8)
    assert first.evaluations.equals(second.evaluations)
    assert first.verdict == second.verdict
    assert not first.evaluations.equals(other.evaluations)


def test_sampling_finds_better_than_a_random_draw_of_the_same_size(panel: Panel) -> None:
    best = [study(DONCHIAN, panel, trials=200, seed=seed).best_metrics.bar_sharpe for seed in (1,)]
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(5, 81, 4_000), rng.integers(3, 41, 4_000)], axis=1).astype(float)
    found = evaluate_many(DONCHIAN, rows, panel, costs(0.001, 0.0005))
    sharpes = np.where(found.column("closed_trades") >= MIN_TRADES, found.column("bar_sharpe"), -np.inf)
    assert min(best) >= np.median(sharpes.reshape(20, 200).max(axis=1))


def test_progress_counts_up_by_batches_to_the_total(panel: Panel) -> None:
    seen: list[tuple[int, int]] = []
    study(SMA, panel, trials=50, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(20, 50), (40, 50), (50, 50)]


def test_stored_study_is_optunas_own_and_its_best_trial_is_ours(panel: Panel, tmp_path: Path) -> None:
    result = study(RSI, panel, storage_url=sqlite(tmp_path), trials=30)
    storage = optuna.storages.RDBStorage(sqlite(tmp_path))
    loaded = optuna.load_study(study_name="probe", storage=storage)
    assert len(loaded.trials) == 30
    assert loaded.best_trial.params == dict(result.best_params)
    assert loaded.best_value == result.best_metrics.bar_sharpe
    assert loaded.user_attrs["chandlery"]["panel_id"] == panel.panel_id
    storage.engine.dispose()


def test_cancelled_study_keeps_its_batches_and_resumes_to_the_uninterrupted_table(panel: Panel, tmp_path: Path) -> None:
    answers = iter([False, True])
    part = study(RSI, panel, trials=30, storage_url=sqlite(tmp_path), cancelled=lambda: next(answers))
    assert (part.trials, part.is_complete) == (BATCH, False)
    resumed = study(RSI, panel, trials=30, storage_url=sqlite(tmp_path))
    assert resumed.is_complete
    assert resumed.evaluations.equals(study(RSI, panel, trials=30).evaluations)


def test_study_killed_inside_a_batch_resumes_to_the_uninterrupted_table(panel: Panel, tmp_path: Path) -> None:
    whole = study(RSI, panel, storage_url=sqlite(tmp_path), study_name="whole", trials=40)
    storage = optuna.storages.RDBStorage(sqlite(tmp_path))
    source = optuna.load_study(study_name="whole", storage=storage)
    torn = optuna.create_study(study_name="torn", storage=storage, direction="maximize")
    torn.set_user_attr("chandlery", source.user_attrs["chandlery"])
    torn.add_trials(source.trials[:27])
    resumed = study(RSI, panel, storage_url=sqlite(tmp_path), study_name="torn", trials=40)
    assert resumed.evaluations.equals(whole.evaluations)
    reloaded = optuna.load_study(study_name="torn", storage=storage)
    assert [trial.params for trial in reloaded.trials] == [trial.params for trial in source.trials]
    storage.engine.dispose()


def test_finished_study_is_concluded_again_without_new_trials(panel: Panel, tmp_path: Path) -> None:
    first = study(SMA, panel, storage_url=sqlite(tmp_path), trials=30)
    again = study(SMA, panel, storage_url=sqlite(tmp_path), trials=30, progress=lambda *_: pytest.fail("evaluated"))
    assert again.evaluations.equals(first.evaluations)


@pytest.mark.parametrize(
    ("name", "change"),
    [("fee", {"execution": costs(0.002, 0.0005)}), ("seed", {"seed": 8}), ("trials", {"trials": 61})],
)
def test_study_name_of_another_question_is_refused(
    panel: Panel, tmp_path: Path, name: str, change: dict[str, Any]
) -> None:
    study(SMA, panel, storage_url=sqlite(tmp_path), cancelled=iter([False, True]).__next__)
    with pytest.raises(ResearchError, match=f"another {name}; choose another study name"):
        study(SMA, panel, storage_url=sqlite(tmp_path), **change)


def test_study_cancelled_before_its_first_batch_has_nothing_to_conclude(panel: Panel) -> None:
    with pytest.raises(ResearchError, match="before its first batch"):
        study(SMA, panel, cancelled=lambda: True)


def test_budget_below_one_is_refused(panel: Panel) -> None:
    with pytest.raises(InvalidInput, match="at least 1"):
        study(SMA, panel, trials=0)


def test_statistics_are_those_of_the_best_run(panel: Panel) -> None:
    result = study(RSI, panel)
    run = run_backtest(RSI, result.best_params, panel, costs(0.001, 0.0005))
    shape = return_shape(run.returns[1:])
    assert shape is not None
    moments = {"n": shape.n, "skew": shape.skew, "kurtosis": shape.kurtosis}
    assert result.psr == psr(shape.sharpe, benchmark=0.0, **moments)
    assert result.luck_sharpe is not None
    assert result.deflated_sharpe == psr(shape.sharpe, benchmark=result.luck_sharpe, **moments)
    assert 0.0 < result.deflated_sharpe < result.psr
    assert result.benchmark.metrics.exposure_bars == panel.bars - 1
    assert f"deflated Sharpe ratio {result.deflated_sharpe:.2f}" in result.verdict


def test_study_without_a_ranked_candidate_says_so(panel: Panel) -> None:
    result = study(SMA, panel.head(260))
    assert result.deflated_sharpe is None
    assert result.evaluations["score"].null_count() == 60
    assert "says nothing" in result.verdict


def test_panel_too_short_for_every_candidate_is_refused(panel: Panel) -> None:
    with pytest.raises(ResearchError, match="take a longer period"):
        study(SMA, panel.head(40), trials=20)


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
