"""What every method of search promises: allowed and distinct points, the budget, replay, an end."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from chandlery.optimize import Space, all_methods
from chandlery.optimize.methods import Method, Plan
from chandlery.strategies import Const, Float, Int, Param, Strategy
from chandlery.strategies.operations import close, sma

BUDGET = 150
BUDGETS = {"tpe": 64}
"""Optuna's sampler takes 10 ms a point; 40 of its points are drawn before it models anything."""

OBJECTIVES = {"nsga2": 2}

every_method = pytest.mark.parametrize("method", all_methods().values(), ids=lambda method: method.name)
every_adaptive = pytest.mark.parametrize(
    "method", [method for method in all_methods().values() if method.is_adaptive], ids=lambda method: method.name
)


def strategy_of(**params: Int | Float) -> Strategy:
    """Return a strategy with these parameters; `a < b` must hold where both exist."""
    entry = close > Const(0.0)
    for name in params:
        entry = entry & (sma(close, Param(name)) > close)
    constraints = (Param("a") < Param("b"),) if {"a", "b"} <= set(params) else ()
    return Strategy(
        name="probe", version=1, family="trend", title="Probe", doc="Probe.", params=params,
        constraints=constraints, long_entry=entry, long_exit=close < Const(0.0),
    )  # fmt: skip


LARGE = strategy_of(
    a=Int(default=5, lo=2, hi=40), b=Int(default=20, lo=2, hi=60), c=Int(default=8, lo=1, hi=64, log=True)
)
SMALL = strategy_of(a=Int(default=5, lo=2, hi=6), b=Int(default=6, lo=2, hi=9))


def plan_of(strategy: Strategy, method: Method, *, seed: int = 4) -> Plan:
    """Return a plan with small batches, so that every method goes through several."""
    return Plan(
        space=Space(strategy),
        budget=BUDGETS.get(method.name, BUDGET),
        seed=seed,
        objectives=OBJECTIVES.get(method.name, 1),
        batch=32,
    )


def scored(plan: Plan, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return seeded scores of points, smooth in their places, one in seven not ranked."""
    units = plan.space.units(numbers)
    columns = [-((units - centre) ** 2).sum(axis=1) for centre in (0.3, 0.7)][: plan.objectives]
    score = np.stack(columns, axis=1)
    score[numbers % 7 == 3] = -np.inf
    return score


def batches_of(method: Method, plan: Plan, *, ranked: bool = True) -> list[NDArray[np.int64]]:
    """Return the batches of a whole search."""
    search, found = method.start(plan), []
    numbers = next(search, None)
    while numbers is not None:
        found.append(numbers)
        scores = scored(plan, numbers) if ranked else np.full((numbers.size, plan.objectives), -np.inf)
        try:
            numbers = search.send(scores)
        except StopIteration:
            break
    return found


@every_method
def test_points_are_allowed_and_distinct_and_fill_the_budget(method: Method) -> None:
    plan = plan_of(LARGE, method)
    batches = batches_of(method, plan)
    numbers = np.concatenate(batches)
    assert numbers.size == np.unique(numbers).size == plan.budget
    assert all(batch.size for batch in batches)
    rows = plan.space.rows(numbers)
    assert (rows[:, 0] < rows[:, 1]).all()


@every_method
def test_equal_seeds_propose_equal_batches_and_others_do_not(method: Method) -> None:
    first, second = (batches_of(method, plan_of(LARGE, method)) for _ in range(2))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in second]
    other = batches_of(method, plan_of(LARGE, method, seed=5))
    assert method.name == "exhaustive" or np.concatenate(first).tolist() != np.concatenate(other).tolist()


@every_method
def test_replayed_scores_lead_to_the_same_remaining_batches(method: Method) -> None:
    plan = plan_of(LARGE, method)
    whole = batches_of(method, plan)
    for kept in {1, len(whole) // 2, len(whole) - 1}:
        search = method.start(plan)
        assert next(search).tolist() == whole[0].tolist()
        replayed = (
            [search.send(scored(plan, batch)).tolist() for batch in islice(whole, kept)] if kept < len(whole) else []
        )
        assert replayed == [batch.tolist() for batch in whole[1 : kept + 1]]


@every_method
def test_search_in_which_nothing_is_ranked_still_fills_the_budget(method: Method) -> None:
    plan = plan_of(LARGE, method)
    assert np.unique(np.concatenate(batches_of(method, plan, ranked=False))).size == plan.budget


@every_method
def test_space_smaller_than_the_budget_is_asked_for_in_full_and_ends(method: Method) -> None:
    plan = plan_of(SMALL, method)
    numbers = np.concatenate(batches_of(method, plan))
    allowed = [(a, b) for a in range(2, 7) for b in range(2, 10) if a < b]
    assert sorted(map(tuple, plan.space.rows(numbers).astype(int).tolist())) == allowed


@every_method
@pytest.mark.parametrize("strategy", [strategy_of(), strategy_of(a=Int(default=3, lo=3, hi=3))], ids=["none", "one"])
def test_space_of_one_point_is_asked_for_once(method: Method, strategy: Strategy) -> None:
    assert [batch.tolist() for batch in batches_of(method, plan_of(strategy, method))] == [[0]]


@every_adaptive
def test_adaptive_search_begins_with_the_defaults(method: Method) -> None:
    plan = plan_of(LARGE, method)
    assert plan.space.values_at(int(next(method.start(plan))[0])) == {"a": 5, "b": 20, "c": 8}


@every_adaptive
def test_adaptive_search_comes_nearer_than_random_draws(method: Method) -> None:
    def best(name: str, seed: int) -> float:
        plan = plan_of(LARGE, method, seed=seed)
        numbers = np.concatenate(batches_of(all_methods()[name], plan))
        return float(scored(plan, numbers)[:, 0].max())

    assert sum(best(method.name, seed) for seed in range(3)) >= sum(best("random", seed) for seed in range(3))


def test_populations_side_by_side_never_ask_for_a_point_twice() -> None:
    method = all_methods()["de"]
    plan = replace(plan_of(LARGE, method), budget=7_500)
    batches = batches_of(method, plan)
    numbers = np.concatenate(batches)
    assert numbers.size == np.unique(numbers).size == 7_500
    assert [batch.tolist() for batch in batches_of(method, plan)] == [batch.tolist() for batch in batches]
