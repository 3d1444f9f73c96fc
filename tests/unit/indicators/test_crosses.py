import math

import numpy as np

from chandlery.indicators import crossover, crossunder

NAN = math.nan


def test_crossover_needs_above_now_and_not_above_before() -> None:
    first, second = [1.0, 2.0, 3.0, 1.0, 2.0, 2.5], [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    # bar 1 only touches, bar 2 leaves the touch upwards, bar 4 touches again, bar 5 leaves it
    assert crossover(first, second).tolist() == [False, False, True, False, False, True]
    assert crossunder(first, second).tolist() == [False, False, False, True, False, False]


def test_first_bar_with_both_values_never_crosses() -> None:
    assert crossover([NAN, 5.0, 6.0], [1.0, 1.0, 1.0]).tolist() == [False, False, False]


def test_cross_compares_with_the_last_bar_where_both_were_defined() -> None:
    first = [1.0, NAN, NAN, 3.0, 3.0]
    assert crossover(first, [2.0] * 5).tolist() == [False, False, False, True, False]


def test_cross_is_exact_without_tolerance() -> None:
    assert crossover([1.0, 1.0 + 1e-15], [1.0, 1.0]).tolist() == [False, True]


def test_a_number_stands_for_a_constant_series() -> None:
    assert crossover(np.array([29.0, 31.0, 29.0]), 30.0).tolist() == [False, True, False]
    assert crossunder(np.array([71.0, 69.0]), 70.0).tolist() == [False, True]
