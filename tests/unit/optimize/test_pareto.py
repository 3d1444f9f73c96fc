import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from chandlery.optimize import pareto_front
from chandlery.optimize.pareto import crowding, front_ranks

tables = st.integers(1, 3).flatmap(
    lambda columns: st.integers(0, 30).flatmap(
        lambda rows: arrays(np.float64, (rows, columns), elements=st.sampled_from([-np.inf, 0.0, 1.0, 2.0, 3.0]))
    )
)


def dominates(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether one row is at least as good everywhere and better somewhere."""
    return bool((one >= other).all() and (one > other).any())


def front_by_pairs(rows: NDArray[np.float64]) -> set[int]:
    """Return the positions no other row dominates, by comparing all pairs."""
    return {at for at, row in enumerate(rows) if not any(dominates(other, row) for other in rows)}


@given(tables)
def test_front_is_that_of_all_pairs_and_equal_rows_are_told_once(table: NDArray[np.float64]) -> None:
    numbers = np.arange(table.shape[0])[::-1].copy()
    found = pareto_front(table, numbers)
    finite = np.flatnonzero(np.isfinite(table).all(axis=1))
    expected = {tuple(table[finite[at]]) for at in front_by_pairs(table[finite])}
    assert {tuple(table[at]) for at in found} == expected
    assert len(found) == len(expected)
    for at in found:
        twins = np.flatnonzero((table == table[at]).all(axis=1))
        assert numbers[at] == numbers[twins].min()
    assert [tuple(-table[at]) for at in found] == sorted(tuple(-table[at]) for at in found)


@given(tables)
def test_ranks_peel_one_front_after_the_other(table: NDArray[np.float64]) -> None:
    ranks = front_ranks(table)
    left = np.arange(table.shape[0])
    for rank in range(int(ranks.max(initial=-1)) + 1):
        front = {int(left[at]) for at in front_by_pairs(table[left])}
        assert front == set(np.flatnonzero(ranks == rank).tolist())
        left = np.array([at for at in left if at not in front], dtype=np.int64)
    assert not left.size


def test_crowding_is_the_sum_of_the_gaps_around_a_point() -> None:
    # Deb et al. 2002: ends infinite, inside (next - previous) / span, summed over the objectives.
    scores = np.array([[0.0, 10.0], [1.0, 6.0], [4.0, 5.0], [10.0, 0.0]])
    found = crowding(scores, np.zeros(4, dtype=np.int64))
    assert np.isinf(found[[0, 3]]).all()
    assert found[1:3] == pytest.approx([4 / 10 + 5 / 10, 9 / 10 + 6 / 10])
