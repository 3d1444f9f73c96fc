"""The search driver: choice of method, replay, workers, cancelling, failures."""

from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Any

import numpy as np
import pytest

from chandlery.backtest import Panel, evaluate_many
from chandlery.errors import EmptySpace, InvalidInput, ResearchError
from chandlery.optimize import MIN_TRADES, Batch, MemoryRecord, Progress, SearchOutcome, Table, run_search, study_facts
from chandlery.strategies import Float, Int, Param, Strategy, get_strategy
from chandlery.strategies.operations import close, sma
from tests.builders.executions import costs

EXECUTION = costs(0.001, 0.0005)
DONCHIAN, RSI = get_strategy("donchian_breakout"), get_strategy("rsi_revert")
COLUMNS = ("numbers", "params", "scores", "metrics", "moments", "states")


def search(strategy: Strategy, panel: Panel, **changes: Any) -> SearchOutcome:
    """Run a search of 300 candidates; `changes` replace arguments."""
    arguments: dict[str, Any] = {
        "execution": EXECUTION, "budget": 300, "seed": 7, "study_name": "probe", "record": MemoryRecord(),
    }  # fmt: skip
    return run_search(strategy, panel, **(arguments | changes))


def assert_same(first: Table, second: Table) -> None:
    """Assert that two tables are equal bit by bit."""
    for name in COLUMNS:
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes(), name
    assert first.reasons == second.reasons


def after(count: int) -> Callable[[], bool]:
    """Return a question that is answered with yes after `count` times."""
    answers = iter([False] * count)
    return lambda: next(answers, True)


@pytest.fixture(scope="module")
def whole(panel: Panel) -> SearchOutcome:
    return search(RSI, panel, method="de")


def test_space_within_the_budget_is_walked_and_its_optimum_is_that_of_brute_force(panel: Panel) -> None:
    found = search(DONCHIAN, panel, budget=2_888)
    grid = np.array([[entry, closing] for entry in range(5, 81) for closing in range(3, 41)], dtype=float)
    metrics = evaluate_many(DONCHIAN, grid, panel, EXECUTION)
    sharpes = np.where(metrics.column("closed_trades") >= MIN_TRADES, metrics.column("bar_sharpe"), -np.inf)
    assert (found.question.method, found.table.size, found.is_complete) == ("exhaustive", 2_888, True)
    assert np.array_equal(found.table.scores[:, 0], sharpes)
    assert found.table.params[np.argmax(found.table.scores[:, 0])].tolist() == grid[np.argmax(sharpes)].tolist()


def test_evolution_finds_the_optimum_of_a_lattice_searched_in_part(panel: Panel) -> None:
    optimum = search(DONCHIAN, panel, budget=2_888).table.scores.max()
    assert search(DONCHIAN, panel, budget=700, method="de").table.scores.max() == optimum


def test_policy_takes_evolution_for_cheap_candidates_and_nsga2_for_several_objectives(panel: Panel) -> None:
    assert search(RSI, panel).question.method == "de"
    assert search(RSI, panel, objectives=("bar_sharpe", "max_dd")).question.method == "nsga2"


def test_search_cancelled_anywhere_resumes_to_the_uninterrupted_table(panel: Panel, whole: SearchOutcome) -> None:
    for batches in (1, 4):
        record = MemoryRecord()
        part = search(RSI, panel, method="de", record=record, cancelled=after(batches))
        assert (len(record.kept), part.is_complete) == (batches, False)
        assert 0 < part.table.size < 300
        assert part.table.numbers.tolist() == whole.table.numbers[: part.table.size].tolist()
        assert_same(search(RSI, panel, method="de", record=record).table, whole.table)


def test_finished_search_is_replayed_without_an_evaluation(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    record = MemoryRecord()
    first = search(RSI, panel, record=record)
    monkeypatch.setattr("chandlery.optimize.evaluate.evaluate_many", lambda *_, **__: pytest.fail("evaluated"))
    assert_same(search(RSI, panel, record=record).table, first.table)


def test_method_chosen_at_the_opening_stays(panel: Panel) -> None:
    record = MemoryRecord()
    search(RSI, panel, record=record, cancelled=lambda: True)
    assert record.question is not None
    record.question = replace(record.question, method="random")
    assert search(RSI, panel, record=record).question.method == "random"


def test_lost_moments_are_evaluated_again(panel: Panel, whole: SearchOutcome) -> None:
    record = MemoryRecord()
    search(RSI, panel, method="de", record=record)
    record.kept = {key: replace(part, moments=np.empty((part.size, 0, 4))) for key, part in record.kept.items()}
    assert_same(search(RSI, panel, method="de", record=record).table, whole.table)


def test_kept_batch_of_other_code_is_refused(panel: Panel) -> None:
    record = MemoryRecord()
    search(RSI, panel, method="de", record=record, cancelled=after(1))
    part = record.kept[0, 0]
    record.kept[0, 0] = replace(part, numbers=part.numbers[::-1].copy())
    with pytest.raises(ResearchError, match="another version of the code"):
        search(RSI, panel, method="de", record=record)


@pytest.mark.parametrize("parts", [2, 3])
def test_two_workers_over_one_record_make_the_table_of_one(panel: Panel, whole: SearchOutcome, parts: int) -> None:
    record = MemoryRecord()
    found: dict[int, SearchOutcome] = {}

    def work(which: int) -> None:
        found[which] = search(RSI, panel, method="de", record=record, parts=parts, shard=(which, 2))

    threads = [Thread(target=work, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(part for _, part in record.kept) == parts - 1
    for which in range(2):
        assert_same(found[which].table, whole.table)


def test_worker_left_alone_evaluates_the_parts_of_the_others(panel: Panel, whole: SearchOutcome) -> None:
    alone = search(RSI, panel, method="de", parts=2, shard=(0, 2), wait_s=0.0)
    assert_same(alone.table, whole.table)


def test_candidate_that_fails_is_kept_with_its_reason_and_the_rest_is_evaluated(panel: Panel) -> None:
    # The length a - 4 falls below 1 for a of 2 to 4.
    length = Param("a") - 4
    strategy = Strategy(
        name="fails", version=1, family="trend", title="Fails", doc="Fails.",
        params={"a": Int(default=9, lo=2, hi=30)},
        long_entry=close > sma(close, length), long_exit=close < sma(close, length),
    )  # fmt: skip
    table = search(strategy, panel).table
    assert table.params[:, 0].tolist() == list(range(2, 31))
    assert table.states.tolist() == [2, 2, 2] + [0] * 26
    assert sorted(table.reasons) == [0, 1, 2]
    assert all("at least 1 bar" in reason for reason in table.reasons.values())
    assert np.isnan(table.metrics[:3]).all()
    assert np.isneginf(table.scores[:3]).all()
    alone = evaluate_many(strategy, [[9.0]], panel, EXECUTION)
    assert np.array_equal(table.metrics[7], alone.metrics[0])


def test_progress_counts_to_the_total_and_names_the_best_so_far(panel: Panel) -> None:
    told: list[Progress] = []
    found = search(RSI, panel, method="de", progress=told.append)
    assert [step.done for step in told] == sorted({step.done for step in told})
    assert (told[-1].done, told[-1].total, told[-1].eta_s) == (300, 300, 0.0)
    assert told[-1].best_score == found.table.scores.max()
    best = found.table.params[np.argmax(found.table.scores[:, 0])]
    assert list(told[-1].best_params.values()) == best.tolist()


def test_ranges_narrow_the_search(panel: Panel) -> None:
    found = search(DONCHIAN, panel, ranges={DONCHIAN.param_names[0]: (10, 20, 5)})
    assert set(found.table.params[:, 0].tolist()) == {10.0, 15.0, 20.0}


def test_facts_tell_questions_apart(panel: Panel) -> None:
    asked: dict[str, Any] = {"execution": EXECUTION, "budget": 100, "seed": 1}
    facts = study_facts(RSI, panel, **asked)
    others = [{"seed": 2}, {"budget": 99}, {"execution": costs(0.002, 0.0)}, {"objectives": ("equity",)}]
    others += [{"method": "de"}, {"ranges": {RSI.param_names[0]: (5, 10, 1)}}]
    assert facts == study_facts(RSI, panel, **asked)
    assert all(study_facts(RSI, panel, **(asked | change)) != facts for change in others)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"budget": 0}, "at least 1"),
        ({"objectives": ()}, "at least one"),
        ({"objectives": ("luck",)}, "No objective is called 'luck'"),
        ({"method": "guess"}, "No search method is called 'guess'"),
        ({"parts": 0}, "at least 1"),
        ({"shard": (2, 2)}, "counted from 0"),
    ],
)
def test_unusable_questions_are_refused(panel: Panel, change: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        search(RSI, panel, **change)


def test_contradictory_constraints_are_an_empty_space(panel: Panel) -> None:
    with pytest.raises(EmptySpace, match="fast < slow rejects 6 of 6"):
        search(get_strategy("sma_cross"), panel, ranges={"fast": (100, 120, 10), "slow": (60, 70, 10)})


def test_batches_hold_what_the_engine_says(panel: Panel) -> None:
    record = MemoryRecord()
    search(RSI, panel, record=record)
    batch: Batch = record.kept[0, 0]
    engine = evaluate_many(RSI, batch.params, panel, EXECUTION, keep_moments=True)
    assert np.array_equal(batch.metrics, engine.metrics, equal_nan=True)
    assert np.array_equal(batch.moments, engine.moments)


def test_float_ranges_stay_on_their_steps(panel: Panel) -> None:
    strategy = Strategy(
        name="fine", version=1, family="trend", title="Fine", doc="Fine.",
        params={"band": Float(default=1.0, lo=0.5, hi=1.5, step=0.5)},
        long_entry=close > sma(close, 5) * Param("band"), long_exit=close < sma(close, 5),
    )  # fmt: skip
    table = search(strategy, panel, ranges={"band": (0.9, 1.15, 0.1)}).table
    assert table.params[:, 0].tolist() == [0.9, 1.0, 1.1]
