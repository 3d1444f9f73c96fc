"""Pruning: what is given up, against Optuna's pruner, and what its figures cover."""

from typing import Any

import numpy as np
import optuna
import pytest
from numpy.typing import NDArray
from optuna.trial import TrialState, create_trial

from chandlery.backtest import Panel, evaluate_many
from chandlery.optimize import MemoryRecord, Space, run_search
from chandlery.optimize.evaluate import Evaluator
from chandlery.optimize.methods import Plan
from chandlery.optimize.methods.visited import Visited
from chandlery.optimize.pruning import head_bars, head_moments, head_sharpes, is_pruned
from chandlery.strategies import get_strategy
from tests.builders.executions import costs

DONCHIAN = get_strategy("donchian_breakout")
EXECUTION = costs(0.001, 0.0005)


def drawn(count: int) -> NDArray[np.int64]:
    """Return seeded points of the lattice."""
    return Visited(Plan(space=Space(DONCHIAN), budget=count, seed=3)).others(count, np.random.default_rng(3))


def evaluator(panel: Panel, *, prunes: bool) -> Evaluator:
    """Return an evaluator of 64 blocks."""
    return Evaluator(
        space=Space(DONCHIAN), panel=panel, execution=EXECUTION, objectives=("bar_sharpe",), blocks=64, prunes=prunes
    )


def optunas_answer(own: float, known: NDArray[np.float64]) -> bool:
    """Return whether Optuna's median pruner gives up a trial at its first step."""
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=20))
    study.add_trials(
        [create_trial(value=0.0, intermediate_values={0: float(value)}, state=TrialState.COMPLETE) for value in known]
    )
    trial = study.ask()
    trial.report(own, 0)
    return trial.should_prune()


def test_given_up_is_what_optunas_median_pruner_gives_up(panel: Panel) -> None:
    bars, space = panel.bars, Space(DONCHIAN)
    before = evaluator(panel, prunes=False).batch(drawn(60), index=0, part=0, first_seq=0, earlier=())
    head = panel.head(head_bars(bars))
    moments = evaluate_many(DONCHIAN, space.rows(drawn(20)), head, EXECUTION, keep_moments=True).moments
    assert moments is not None
    known = head_sharpes(before.moments, bars=bars)
    own = head_sharpes(head_moments(moments), bars=bars)
    given_up = is_pruned(moments, [before], bars=bars)
    known, judged = known[np.isfinite(known)], np.isfinite(own)
    assert known.size >= 20
    assert given_up[judged].tolist() == [optunas_answer(float(value), known) for value in own[judged]]
    assert 0 < given_up.sum() < given_up.size
    assert not given_up[~judged].any()


def test_leading_quarter_of_a_whole_run_and_a_run_over_the_quarter_agree(panel: Panel) -> None:
    rows, bars = Space(DONCHIAN).rows(drawn(30)), panel.bars
    whole = evaluate_many(DONCHIAN, rows, panel, EXECUTION, keep_moments=True).moments
    head = evaluate_many(DONCHIAN, rows, panel.head(head_bars(bars)), EXECUTION, keep_moments=True).moments
    assert whole is not None
    assert head is not None
    ours, theirs = head_sharpes(whole, bars=bars), head_sharpes(head_moments(head), bars=bars)
    assert ours == pytest.approx(theirs, rel=1e-9, nan_ok=True)


def test_nothing_is_given_up_before_twenty_candidates_are_known(panel: Panel) -> None:
    moments = evaluate_many(DONCHIAN, Space(DONCHIAN).rows(drawn(30)), panel, EXECUTION, keep_moments=True).moments
    assert moments is not None
    assert not is_pruned(moments, [], bars=panel.bars).any()


def test_pruned_search_keeps_reasons_and_resumes_to_the_same_table(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chandlery.optimize.search.PRUNES_FROM_BARS", 100)
    asked: dict[str, Any] = {"execution": EXECUTION, "budget": 64, "seed": 1, "study_name": "p", "method": "tpe"}
    record, resumed = MemoryRecord(), MemoryRecord()
    table = run_search(DONCHIAN, panel, record=record, **asked).table
    pruned = np.flatnonzero(table.states == 1)
    assert pruned.size
    assert sorted(table.reasons) == pruned.tolist()
    assert np.isneginf(table.scores[pruned]).all()
    assert not table.moments[pruned, 16:].any()
    resumed.kept = {key: part for key, part in record.kept.items() if key[0] < 3}
    again = run_search(DONCHIAN, panel, record=resumed, **asked).table
    assert again.states.tolist() == table.states.tolist()
    assert again.moments.tobytes() == table.moments.tobytes()
