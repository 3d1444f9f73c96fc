"""Plateaus and heat maps against loops over the lattice."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from chandlery.optimize import Space
from chandlery.optimize.heat_map import MOST_VALUES, heat_map, importances
from chandlery.optimize.plateau import COMPLETED, best_plateau, plateaus
from chandlery.strategies import allowed_rows, get_strategy

SMA, RSI, DONCHIAN = (Space(get_strategy(name)) for name in ("sma_cross", "rsi_revert", "donchian_breakout"))


def around(space: Space, number: int) -> list[int]:
    """Return the feasible lattice numbers at most two steps away, without the point itself."""
    centre = np.unravel_index(number, space.shape)
    found = []
    for step in product(range(-2, 3), repeat=len(space.shape)):
        at = [int(c) + s for c, s in zip(centre, step, strict=True)]
        if 1 <= sum(map(abs, step)) <= 2 and all(0 <= a < size for a, size in zip(at, space.shape, strict=True)):
            found.append(int(np.ravel_multi_index(at, space.shape)))
    allowed = allowed_rows(space.strategy, space.rows(np.array(found)))
    return [number for number, is_allowed in zip(found, allowed, strict=True) if is_allowed]


@pytest.mark.parametrize("space", [SMA, RSI, DONCHIAN])
def test_plateau_agrees_with_a_loop_over_the_neighbours(space: Space) -> None:
    random = np.random.default_rng(1)
    numbers = np.array([number for number in random.integers(0, space.size, 60) if space.is_feasible(int(number))])
    numbers = np.unique(numbers)
    scores = random.normal(0.05, 0.02, numbers.size)
    asked: list[int] = []

    def evaluate(missing: NDArray[np.int64]) -> NDArray[np.float64]:
        asked.extend(missing.tolist())
        return np.sin(missing.astype(float)) * 0.1

    found = plateaus(space, numbers, scores, evaluate=evaluate)
    assert len(asked) == len(set(asked))
    assert not set(asked) & set(numbers.tolist())
    best = np.argsort(-scores)[:COMPLETED]
    assert set(best.tolist()) <= set(found)
    known = dict(zip(numbers.tolist(), scores.tolist(), strict=True))
    for position in best.tolist():
        neighbours = around(space, int(numbers[position]))
        values = [scores[position], *(known.get(number, np.sin(number) * 0.1) for number in neighbours)]
        assert found[position].neighbours == len(neighbours)
        assert found[position].score == pytest.approx(np.mean(values) - np.std(values), rel=1e-12)
        assert found[position].median_to_peak == pytest.approx(np.median(values) / scores[position], rel=1e-12)


def test_wide_plateau_is_chosen_before_a_lonely_peak() -> None:
    numbers = np.arange(DONCHIAN.size)
    entry, closing = np.unravel_index(numbers, DONCHIAN.shape)
    scores = 0.05 * np.exp(-((entry - 50) ** 2 + (closing - 20) ** 2) / 50.0)
    peak = int(np.ravel_multi_index((10, 5), DONCHIAN.shape))
    scores[peak] = 0.06
    found = plateaus(DONCHIAN, numbers, scores)
    assert int(scores.argmax()) == peak
    assert best_plateau(found, scores) == int(np.ravel_multi_index((50, 20), DONCHIAN.shape))
    ratio = found[peak].median_to_peak
    assert ratio is not None
    assert ratio < 0.01


def test_candidate_whose_neighbours_are_unknown_or_mostly_unranked_has_no_plateau() -> None:
    number = np.array([500])
    assert plateaus(DONCHIAN, number, np.array([0.1])) == {}
    unranked = plateaus(DONCHIAN, number, np.array([0.1]), evaluate=lambda missing: np.full(missing.size, -np.inf))
    assert unranked == {}
    assert best_plateau({}, np.array([0.1])) is None


def test_heat_map_shows_the_best_score_of_the_two_parameters_that_matter() -> None:
    random = np.random.default_rng(2)
    params = random.integers(0, 6, (400, 3)).astype(float)
    scores = params[:, 2] + 0.2 * params[:, 0] + 0.01 * random.standard_normal(400)
    scores[:50] = -np.inf
    found = heat_map(("a", "b", "c"), params, scores)
    assert found is not None
    assert (found.x, found.y) == ("c", "a")
    for (y, row), x in product(enumerate(found.values), range(6)):
        cell = scores[(params[:, 0] == found.y_values[y]) & (params[:, 2] == found.x_values[x])]
        assert row[x] == max(cell)


def test_importance_is_the_share_of_variance_between_values() -> None:
    params = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(importances(params, np.array([0.0, 1.0, 2.0, 3.0])), [0.8, 0.2])
    np.testing.assert_array_equal(importances(params, np.ones(4)), [0.0, 0.0])


def test_wide_parameters_are_joined_and_single_ones_make_one_row() -> None:
    column = np.arange(101.0)[:, None]
    found = heat_map(("length",), column, np.arange(101.0))
    assert found is not None
    assert (found.y, found.y_values, len(found.x_values), len(found.values)) == ("", (0,), MOST_VALUES, 1)
    assert found.values[0][-1] == 100.0
    assert list(found.x_values) == sorted(found.x_values)
    assert heat_map((), np.empty((3, 0)), np.ones(3)) is None
    assert heat_map(("length",), column, np.full(101, -np.inf)) is None
