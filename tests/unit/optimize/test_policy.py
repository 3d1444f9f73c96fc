"""The policy, and differential evolution beside scipy's."""

import time
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import differential_evolution

from chandlery.optimize import Space, choose_method, get_method
from chandlery.optimize.methods import Plan
from chandlery.optimize.policy import measured_cost
from chandlery.strategies import Const, Float, Param, Strategy, get_strategy
from chandlery.strategies.operations import close


def cheap() -> float:
    return 1e-5


def dear() -> float:
    return 0.1


def unasked() -> float:
    pytest.fail("The cost does not matter here.")


def test_policy_by_size_objectives_and_cost() -> None:
    space = Space(get_strategy("donchian_breakout"))  # 2,888 points
    assert choose_method(space, budget=2_888, objectives=2, seconds_per_evaluation=unasked) == "exhaustive"
    assert choose_method(space, budget=2_887, objectives=2, seconds_per_evaluation=unasked) == "nsga2"
    assert choose_method(space, budget=2_887, objectives=1, seconds_per_evaluation=cheap) == "de"
    assert choose_method(space, budget=200, objectives=1, seconds_per_evaluation=dear) == "tpe"


def test_space_of_more_than_200_000_points_is_searched_whatever_the_budget() -> None:
    space = Space(get_strategy("stoch_rsi")).narrowed({"length": (4, 54, 1), "stoch_length": (4, 54, 1)})
    assert 200_000 < space.size < 1_000_000
    assert choose_method(space, budget=10**9, objectives=1, seconds_per_evaluation=cheap) == "de"


def test_pilot_of_slow_candidates_is_short_and_its_first_one_does_not_count() -> None:
    spent: list[int] = []

    def evaluate(numbers: NDArray[np.int64]) -> None:
        time.sleep(0.05 * numbers.size if spent else 0.5)
        spent.append(numbers.size)

    cost = measured_cost(Space(get_strategy("stoch_rsi")), evaluate, seed=1)
    assert sum(spent) <= 30
    assert 0.05 <= cost < 0.5


def rosenbrock(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Rosenbrock function over [-2, 2]^4; its minimum is 0."""
    at = 4.0 * units - 2.0
    return sum(
        (100.0 * (at[:, j] - at[:, i] ** 2) ** 2 + (1.0 - at[:, i]) ** 2 for i, j in pairwise(range(4))),
        start=np.zeros(len(at)),
    )


def test_evolution_reaches_what_scipys_does_on_equal_evaluations() -> None:
    # Steps of 1/1000 of the range: what is reached is compared on the scale of logarithms, seed by seed.
    entry = close > Const(0.0)
    for name in "abcd":
        entry = entry & (close > Param(name))
    axes = {name: Float(default=0.0, lo=0.0, hi=1.0, step=0.001) for name in "abcd"}
    strategy = Strategy(
        name="smooth", version=1, family="trend", title="Smooth", doc="Smooth.", params=axes,
        long_entry=entry, long_exit=close < Const(0.0),
    )  # fmt: skip
    space, budget = Space(strategy), 4_000
    ours, theirs = [], []
    for seed in range(5):
        search, best = get_method("de").start(Plan(space=space, budget=budget, seed=seed)), np.inf
        numbers = next(search, None)
        while numbers is not None:
            values = rosenbrock(space.rows(numbers))
            best = min(best, float(values.min()))
            try:
                numbers = search.send(-values[:, None])
            except StopIteration:
                break
        ours.append(best)
        found = differential_evolution(
            lambda point: float(rosenbrock(np.round(point, 3)[None])[0]),
            [(0.0, 1.0)] * 4, rng=seed, popsize=15, maxiter=budget // 60 - 1, tol=0.0, polish=False,
        )  # fmt: skip
        theirs.append(found.fun)
    assert np.median(ours) <= 2.0 * np.median(theirs) + 1e-3
