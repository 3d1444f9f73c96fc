import numpy as np
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from chandlery.errors import ResearchError
from chandlery.optimize import Space, scores
from chandlery.optimize.objective import best_of
from chandlery.strategies import Float, Int, Param, Strategy, get_strategy
from chandlery.strategies.operations import close, sma


def tiny() -> Strategy:
    """Return a strategy with 4 x 3 points of which 5 obey `a < b`."""
    return Strategy(
        name="tiny",
        version=1,
        family="trend",
        title="Tiny",
        doc="Tiny.",
        params={"a": Int(default=2, lo=2, hi=8, step=2), "b": Float(default=3.0, lo=3.0, hi=7.0, step=2.0)},
        constraints=(Param("a") < Param("b"),),
        long_entry=close > sma(close, Param("a")) * Param("b"),
        long_exit=close < sma(close, Param("a")),
    )


def test_points_are_numbered_with_the_last_parameter_fastest() -> None:
    space = Space(tiny())
    rows = space.rows(np.arange(4))
    assert rows.tolist() == [[2, 3], [2, 5], [2, 7], [4, 3]]
    assert space.size == 12


def test_number_and_values_are_inverse() -> None:
    space = Space(get_strategy("rsi_revert"))
    for number in (0, 1, 40, 12_345, space.size - 1):
        assert space.number_of(space.values_at(number)) == number


def test_feasible_points_obey_the_constraint_and_stop_at_the_limit() -> None:
    space = Space(tiny())
    found = space.feasible(limit=100)
    assert found is not None
    assert space.rows(found).tolist() == [[2, 3], [2, 5], [2, 7], [4, 5], [4, 7], [6, 7]]
    assert space.feasible(limit=6) is not None
    assert space.feasible(limit=5) is None


def test_lattice_beyond_a_million_points_is_not_counted() -> None:
    wide = tiny()
    params = {"a": Int(default=2, lo=2, hi=2_000), "b": Float(default=3.0, lo=3.0, hi=1_003.0, step=1.0)}
    strategy = Strategy(
        name="wide", version=1, family="trend", title="Wide", doc="Wide.", params=params,
        long_entry=wide.long_entry, long_exit=wide.long_exit,
    )  # fmt: skip
    assert Space(strategy).feasible(limit=10_000_000) is None


def test_distributions_carry_range_and_step() -> None:
    distributions = Space(tiny()).distributions()
    assert distributions == {"a": IntDistribution(2, 8, step=2), "b": FloatDistribution(3.0, 7.0, step=2.0)}


def test_logarithmic_parameters_become_logarithmic_distributions() -> None:
    base = tiny()
    params = {
        "a": Int(default=2, lo=2, hi=8, step=2, log=True),
        "b": Float(default=3.0, lo=3.0, hi=7.0, step=2.0, log=True),
    }
    strategy = Strategy(
        name="log", version=1, family="trend", title="Log", doc="Log.", params=params,
        long_entry=base.long_entry, long_exit=base.long_exit,
    )  # fmt: skip
    assert Space(strategy).distributions() == {
        "a": IntDistribution(2, 8, log=True),
        "b": FloatDistribution(3.0, 7.0, log=True),
    }


def test_nearby_keeps_a_free_point_and_moves_off_a_taken_or_forbidden_one() -> None:
    space = Space(tiny())
    assert space.nearby(1, taken={0}, seed=1) == 1
    moved = space.nearby(9, taken={0, 1}, seed=1)  # a = 8, b = 3
    assert moved in {2, 4, 5, 8}
    assert space.nearby(9, taken={0, 1}, seed=1) == moved


def test_nearby_finds_the_last_free_point_and_says_when_there_is_none() -> None:
    space = Space(tiny())
    assert space.nearby(0, taken={0, 1, 2, 4, 5}, seed=3) == 8
    with pytest.raises(ResearchError, match="only 6 points"):
        space.nearby(0, taken={0, 1, 2, 4, 5, 8}, seed=3)


def test_candidate_with_two_trades_or_no_variance_is_not_ranked() -> None:
    metrics = np.zeros((3, 8))
    metrics[:, 1], metrics[:, 6] = [2, 3, 9], [5.0, 0.1, np.nan]
    assert scores(metrics).tolist() == [-np.inf, 0.1, -np.inf]


def test_ties_go_to_the_lowest_lattice_point() -> None:
    assert best_of(np.array([0.1, 0.3, 0.3, -np.inf]), np.array([4, 9, 2, 1])) == 2
    assert best_of(np.full(3, -np.inf), np.array([4, 2, 9])) == 1
