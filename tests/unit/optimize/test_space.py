from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from chandlery.errors import EmptySpace, InvalidInput, ResearchError
from chandlery.optimize import Space
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


def test_units_are_taken_back_by_snap_and_cells_of_a_plain_parameter_are_equal() -> None:
    log = Int(default=2, lo=1, hi=64, log=True)
    space = Space(replace(tiny(), constraints=()))
    numbers = np.arange(space.size)
    assert space.snap(space.units(numbers)).tolist() == numbers.tolist()
    counts = np.bincount(space.snap(np.random.default_rng(0).random((12_000, 2))))
    assert counts.min() > 850
    wide = Space(replace(tiny(), constraints=(), params={"a": log, "b": tiny().params["b"]}))
    assert wide.snap(wide.units(np.arange(wide.size))).tolist() == list(range(wide.size))


def test_neighbours_are_within_the_steps_and_the_constraints() -> None:
    space = Space(tiny())
    at = space.number_of({"a": 4, "b": 5.0})
    assert space.rows(space.neighbours(at, steps=1)).tolist() == [[2, 5], [4, 7]]
    # Brute force over the lattice: at most two steps in sum, a < b.
    expected = [[a, b] for a in (2, 4, 6, 8) for b in (3, 5, 7) if a < b and 0 < abs(a - 4) / 2 + abs(b - 5) / 2 <= 2]
    assert space.rows(space.neighbours(at, steps=2)).tolist() == expected


def test_walk_is_in_order_and_cut_into_equal_pieces() -> None:
    pieces = [piece.tolist() for piece in Space(tiny()).walk(4)]
    assert pieces == [[0, 1, 2, 4], [5, 8]]


def test_narrowed_range_has_its_own_lattice_and_falls_to_the_last_whole_step() -> None:
    space = Space(tiny()).narrowed({"a": (3, 8, 2), "b": (3.0, 4.0, 0.25)})
    assert space.shape == (3, 5)
    assert space.rows(np.array([0, 14])).tolist() == [[3, 3], [7, 4]]
    assert space.distributions()["a"] == IntDistribution(3, 7, step=2)
    assert space.number_of(tiny().defaults) == 0


@pytest.mark.parametrize(
    ("ranges", "error", "match"),
    [
        ({"z": (1, 2, 1)}, InvalidInput, "no parameter 'z' to give a range to; it has a, b"),
        ({"a": (6, 4, 1)}, EmptySpace, "no value is in it"),
        ({"a": (1, 4, 1)}, InvalidInput, "within 2 to 8"),
        ({"a": (2, 4, 0)}, InvalidInput, "step above 0"),
        ({"a": (2, 4, 0.5)}, InvalidInput, "whole numbers"),
        ({"b": (3.0, float("nan"), 1.0)}, InvalidInput, "finite"),
        ({"b": (3.0, 7.0, 1e-18)}, InvalidInput, "wider steps"),
    ],
)
def test_unusable_ranges_are_refused(
    ranges: dict[str, tuple[float, float, float]], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        Space(tiny()).narrowed(ranges)


def test_empty_space_names_the_constraint_that_rejects_most() -> None:
    strategy = replace(tiny(), constraints=(Param("a") < Param("b"), Param("b") < 3.5))
    with pytest.raises(EmptySpace, match=r"b < 3\.5 rejects 6 of 6"):
        Space(strategy).narrowed({"a": (4, 6, 2), "b": (5.0, 7.0, 1.0)}).require_points()
    Space(strategy).require_points()


def test_empty_space_too_large_to_walk_is_found_by_draws() -> None:
    params = {"a": Int(default=900_000, lo=800_000, hi=900_000), "b": Float(default=3.0, lo=3.0, hi=7.0, step=0.01)}
    space = Space(replace(tiny(), params=params, constraints=()))
    space.require_points()
    never = Space(replace(tiny(), params=params))
    with pytest.raises(EmptySpace, match="a < b rejects 65536 of 65536"):
        never.require_points()
