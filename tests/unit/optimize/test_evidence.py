"""The evidence of a search against full runs of its candidates, and its words in every corner."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from holdout import deflated as holdout_deflated
from numpy.typing import NDArray

from chandlery.backtest import Costs, Panel, buy_and_hold, evaluate_many, run_backtest
from chandlery.errors import ResearchError
from chandlery.optimize import Evidence, Space, Word, conclude, gather_evidence, spa, study_facts
from chandlery.optimize.batches import STATES, Question, State, Table
from chandlery.optimize.benchmark import excess_at_equal_risk
from chandlery.optimize.blocks import BlockReturns
from chandlery.optimize.cost_sensitivity import scaled
from chandlery.optimize.evidence import WalkForward
from chandlery.optimize.search import SearchOutcome
from chandlery.optimize.verdict import judge
from chandlery.strategies import get_strategy
from tests.builders.executions import costs
from tests.builders.tables import table_of

SPACE = Space(get_strategy("donchian_breakout"))
NUMBERS = np.arange(0, SPACE.size, 97)
EXECUTION = costs(0.001, 0.0005)


@pytest.fixture(scope="module")
def table(panel: Panel) -> Table:
    return table_of(SPACE, panel, EXECUTION, NUMBERS)


@pytest.fixture(scope="module")
def evidence(panel: Panel, table: Table) -> Evidence:
    return gather(table, panel)


@pytest.fixture(scope="module")
def runs(panel: Panel, table: Table) -> NDArray[np.float64]:
    """Return the bar returns `[bars, ranked]` of full runs, ascending by lattice number."""
    numbers = table.numbers[table.ranked].tolist()
    backtests = [run_backtest(SPACE.strategy, SPACE.values_at(number), panel, EXECUTION) for number in numbers]
    return np.stack([backtest.returns for backtest in backtests], axis=1)


def gather(table: Table, panel: Panel, **changes: Any) -> Evidence:
    return gather_evidence(SPACE, table, panel, EXECUTION, **({"seed": 3, "samples": 200} | changes))


def only(table: Table, rows: Any) -> Table:
    """Return some rows of a table."""
    columns = ("numbers", "params", "scores", "metrics", "moments", "states")
    return replace(table, **{name: getattr(table, name)[rows] for name in columns})


def ratio(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.mean(axis=0) / values.std(axis=0, ddof=1))


def test_figures_of_the_best_agree_with_holdout_over_full_runs(evidence: Evidence, runs: NDArray[np.float64]) -> None:
    witness = holdout_deflated.deflate_trials(runs[1:], n_trials=NUMBERS.size)
    assert evidence.sharpe == pytest.approx(witness.estimate.value, rel=1e-9)
    assert evidence.skew == pytest.approx(witness.estimate.skewness, rel=1e-8)
    assert evidence.kurtosis == pytest.approx(witness.estimate.kurtosis, rel=1e-8)
    assert evidence.luck_sharpe == pytest.approx(witness.expected_maximum, rel=1e-9)
    assert evidence.psr == pytest.approx(witness.probabilistic, rel=1e-9)
    assert evidence.deflated_sharpe == pytest.approx(witness.deflated, rel=1e-9)


@pytest.mark.parametrize("scheme", ["rolling", "anchored"])
def test_walk_forward_agrees_with_a_loop_over_full_runs(
    evidence: Evidence, runs: NDArray[np.float64], table: Table, scheme: str
) -> None:
    block = (np.arange(len(runs)) * 64 // len(runs))[1:]
    returns, numbers = runs[1:], table.numbers[table.ranked]
    stitched, chosen = [], []
    for start in range(16, 64, 4):
        train = (block < start - 1) & (block >= (start - 16 if scheme == "rolling" else 0))
        train_returns = returns[train]
        with np.errstate(invalid="ignore"):
            column = int(np.nan_to_num(ratio(train_returns)).argmax())
        chosen.append(int(numbers[column]))
        stitched.append(returns[(block >= start) & (block < start + 4), column])
    (walk,) = [walk for walk in evidence.walk_forward if walk.scheme == scheme]
    assert [fold.number for fold in walk.folds] == chosen
    assert [dict(fold.params) for fold in walk.folds] == [SPACE.values_at(number) for number in chosen]
    assert walk.sharpe == pytest.approx(float(ratio(np.concatenate(stitched))), rel=1e-8)


def test_excess_is_above_zero_exactly_if_the_sharpe_ratio_is_above_that_of_holding(panel: Panel) -> None:
    held = buy_and_hold(panel, EXECUTION).returns
    rising = held - held[1:].mean() + 0.0004
    random = np.random.default_rng(1)
    values = 0.4 * rising[:, None] + random.normal(1e-4, 0.004, (held.size, 30))
    values[0], rising[0] = 0.0, 0.0
    cut = BlockReturns.from_returns(values, blocks=64)
    excess = excess_at_equal_risk(cut, rising).sums.sum(axis=0)
    better = values.mean(axis=0) / values.std(axis=0) > rising.mean() / rising.std()
    assert 3 < better.sum() < 27
    np.testing.assert_array_equal(excess > 0.0, better)


def test_where_holding_lost_money_the_alternative_is_cash(panel: Panel) -> None:
    values = np.random.default_rng(2).normal(0.0, 0.01, (panel.bars, 3))
    cut = BlockReturns.from_returns(values, blocks=64)
    np.testing.assert_array_equal(excess_at_equal_risk(cut, np.full(panel.bars, -0.001)).sums, cut.sums)


def test_more_attempts_before_a_study_lower_its_deflated_ratio(panel: Panel, table: Table) -> None:
    few, many = gather(table, panel), gather(table, panel, earlier_trials=10_000)
    assert (few.trials, many.earlier_trials) == (NUMBERS.size, 10_000)
    assert few.deflated_sharpe is not None
    assert many.deflated_sharpe is not None
    assert many.deflated_sharpe < few.deflated_sharpe
    assert "best of 10,030 attempts" in many.verdict
    assert (few.pbo, few.spa_consistent_p) == (many.pbo, many.spa_consistent_p)


def test_evidence_is_plain_json_and_the_same_again(panel: Panel, table: Table, evidence: Evidence) -> None:
    assert json.loads(json.dumps(evidence.to_json(), allow_nan=False))["word"] == evidence.word
    assert gather(table, panel) == evidence


def test_order_of_evaluation_changes_nothing(panel: Panel, table: Table, evidence: Evidence) -> None:
    shuffled = only(table, np.random.default_rng(4).permutation(table.size))
    again = gather(shuffled, panel).to_json()
    for name, value in evidence.to_json().items():
        assert again[name] == pytest.approx(value, rel=1e-9) if isinstance(value, float) else again[name] == value


def test_failed_and_pruned_candidates_count_as_attempts_and_enter_nothing_else(panel: Panel, table: Table) -> None:
    worst = np.argsort(table.scores[:, 0])[:4]
    states, scores, metrics = table.states.copy(), table.scores.copy(), table.metrics.copy()
    moments = table.moments.copy()
    states[worst] = [STATES.index(state) for state in (State.FAILED, State.FAILED, State.FAILED, State.PRUNED)]
    scores[worst], metrics[worst], moments[worst] = -np.inf, np.nan, 0.0
    spoilt = replace(table, states=states, scores=scores, metrics=metrics, moments=moments, reasons={})
    found, without = gather(spoilt, panel), gather(only(table, np.setdiff1d(np.arange(table.size), worst)), panel)
    assert (found.trials, found.failed, found.pruned, found.ranked) == (30, 3, 1, without.ranked)
    assert (found.pbo, found.spa_upper_p, found.cpcv) == (without.pbo, without.spa_upper_p, without.cpcv)
    assert found.luck_sharpe is not None
    assert without.luck_sharpe is not None
    assert found.luck_sharpe > without.luck_sharpe


def test_one_candidate_has_no_search_to_deflate(panel: Panel, table: Table) -> None:
    found = gather(only(table, table.ranked[:1]), panel)
    assert (found.luck_sharpe, found.deflated_sharpe) == (0.0, found.psr)
    assert (found.pbo, found.effective_trials, found.pbo_candidates) == (None, None, 0)
    assert found.verdict.startswith("Luck: the only candidate")


def test_equal_candidates_are_one_attempt_in_effect(panel: Panel, table: Table) -> None:
    same = only(table, np.repeat(table.ranked[3], 12))
    found = gather(replace(same, numbers=np.arange(12)), panel)
    assert found.effective_trials == pytest.approx(1.0)
    assert found.luck_sharpe == pytest.approx(0.0, abs=1e-12)
    assert (found.pbo, found.word) == (None, Word.LUCK)


def test_search_without_a_ranked_candidate_says_nothing(panel: Panel, table: Table) -> None:
    found = gather(replace(table, scores=np.full_like(table.scores, -np.inf)), panel)
    assert (found.word, found.ranked, found.sharpe, found.choices) == (Word.NOTHING, 0, None, ())
    assert found.verdict.startswith("Nothing: none of 30 candidates")


@pytest.mark.parametrize("bars", [30, 100])
def test_short_panels_have_evidence_too(panel: Panel, bars: int) -> None:
    short = Panel(panel.symbol, panel.timeframe, panel.ts[:bars], panel.ohlcv[:, :bars].copy())
    numbers = np.arange(0, 400, 9)
    found = gather(table_of(SPACE, short, EXECUTION, numbers), short)
    assert found.returns == bars - 1
    assert found.word in {Word.LUCK, Word.NOTHING}
    json.dumps(found.to_json(), allow_nan=False)


def test_result_shows_the_full_run_of_the_best_beside_holding(panel: Panel, table: Table) -> None:
    objectives = ("bar_sharpe", "max_dd")
    both = table_of(SPACE, panel, EXECUTION, NUMBERS, objectives=objectives)
    facts = study_facts(SPACE.strategy, panel, execution=EXECUTION, budget=30, seed=3, objectives=objectives)
    question = Question(study_name="probe", facts=facts, method="exhaustive")
    outcome = SearchOutcome(space=SPACE, question=question, table=both, is_complete=True)
    result = conclude(outcome, panel, EXECUTION)
    best = int(np.argmax(table.scores[:, 0]))
    assert result.best_params == SPACE.values_at(int(NUMBERS[best]))
    assert result.best_metrics.bar_sharpe == table.scores[best, 0]
    assert result.benchmark.equity[-1] == buy_and_hold(panel, EXECUTION).equity[-1]
    assert result.evaluations["score"].max() == table.scores[best, 0]
    assert (result.trials, result.method, result.is_complete) == (30, "exhaustive", True)
    kinds = [choice.kind for choice in result.evidence.choices]
    assert kinds[:3] == ["in_sample", "plateau", "walk_forward"]
    front = [choice.scores for choice in result.evidence.choices if choice.kind == "pareto"]
    rows = [tuple(row) for row in both.scores[both.ranked].tolist()]
    undominated = {row for row in rows if not any(a >= row[0] and b >= row[1] and (a, b) != row for a, b in rows)}
    assert len(front) > 1
    assert set(front) == undominated


def test_search_whose_candidates_all_failed_has_no_result(panel: Panel, table: Table) -> None:
    failed = replace(
        only(table, [0, 1]),
        states=np.full(2, STATES.index(State.FAILED), dtype=np.uint8),
        scores=np.full((2, 1), -np.inf),
        reasons={0: "length below 1", 1: "length below 1"},
    )
    outcome = SearchOutcome(
        space=SPACE, question=Question(study_name="probe", facts={}), table=failed, is_complete=True
    )
    with pytest.raises(ResearchError, match="length below 1"):
        conclude(outcome, panel, EXECUTION)


def test_cost_rows_agree_with_runs_at_those_costs(evidence: Evidence, panel: Panel) -> None:
    params = evidence.choices[0].params
    for row in evidence.costs:
        run = run_backtest(SPACE.strategy, params, panel, costs(0.001 * row.factor, 0.0005 * row.factor))
        assert (row.equity, row.closed_trades) == (run.metrics.equity, run.metrics.closed_trades)
    assert [row.factor for row in evidence.costs] == [0.0, 1.0, 1.5, 2.0, 4.0]


def test_without_costs_the_rows_step_by_5_bps() -> None:
    assert scaled(Costs(), 2.0) == Costs(fee=0.001)
    assert scaled(Costs(fee=0.4, slippage=0.3), 4.0).fee < 1.0


SOUND: dict[str, Any] = {
    "ranked": 20,
    "sharpe": 0.1,
    "luck_sharpe": 0.04,
    "deflated_sharpe": 0.97,
    "pbo": 0.1,
    "pbo_candidates": 20,
    "spa_consistent_p": 0.01,
    "walk_forward": (WalkForward(scheme="rolling", folds=(), sharpe=0.05, mean_return=1e-4, efficiency=0.5),),
}


@pytest.mark.parametrize(
    ("changes", "trades", "word", "reason"),
    [
        ({}, 30, Word.HOLDS, "walk-forward Sharpe 0.050, 30 trades"),
        ({"deflated_sharpe": 0.949}, 30, Word.LUCK, "DSR 0.95"),
        ({"spa_consistent_p": 0.051}, 30, Word.LUCK, "does not beat the better of holding and cash"),
        ({"pbo": 0.51}, 30, Word.DOUBTFUL, "51% of splits"),
        ({"pbo": 0.51, "pbo_candidates": 9}, 30, Word.HOLDS, "PBO 0.51"),
        ({}, 29, Word.DOUBTFUL, "only 29 trades"),
        ({"walk_forward": ()}, 30, Word.DOUBTFUL, "cannot be walked forward"),
        ({"walk_forward": (replace(SOUND["walk_forward"][0], sharpe=-0.01),)}, 30, Word.DOUBTFUL, "Sharpe -0.010"),
        ({"ranked": 0}, 30, Word.NOTHING, "none of"),
        ({"sharpe": None, "deflated_sharpe": None}, 30, Word.NOTHING, "no variance"),
    ],
)
def test_word_and_line_follow_the_rule(
    evidence: Evidence, changes: dict[str, Any], trades: int, word: Word, reason: str
) -> None:
    found, line = judge(replace(evidence, **(SOUND | changes)), closed_trades=trades)
    assert found is word
    assert line.lower().startswith(word.value)
    assert reason in line


def test_planted_edge_holds() -> None:
    random = np.random.default_rng(5)
    steps = random.normal(0.0, 0.012, 2_000)
    for at in range(1, 2_000):
        steps[at] += 0.5 * steps[at - 1]
    close = 100.0 * np.exp(np.cumsum(steps))
    opening = np.concatenate(([100.0], close[:-1]))
    bars = [opening, np.maximum(opening, close), np.minimum(opening, close), close, np.ones(2_000)]
    trending = Panel("TREND", "1d", np.arange(2_000, dtype=np.int64) * 86_400_000_000, np.stack(bars))
    found = gather(table_of(SPACE, trending, EXECUTION, NUMBERS), trending)
    assert found.word is Word.HOLDS


def test_best_of_the_search_is_found_by_the_same_numbers_as_its_tests(panel: Panel, table: Table) -> None:
    # The p-value of the evidence is that of the public test on the excess sums.
    rows = table.ranked
    counts = np.bincount(np.arange(panel.bars)[1:] * 64 // panel.bars, minlength=64)
    cut = BlockReturns.from_moments(table.moments[rows], counts)
    held = buy_and_hold(panel, EXECUTION).returns
    found = spa(excess_at_equal_risk(cut, held), samples=200, seed=3)
    assert gather(table, panel).spa_consistent_p == found.consistent
    assert evaluate_many(SPACE.strategy, table.params[:1], panel, EXECUTION).metrics.shape == (1, 8)
