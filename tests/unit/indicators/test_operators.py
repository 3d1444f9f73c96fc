import math

import numpy as np
import pytest

from chandlery.errors import ResearchError
from chandlery.indicators import OPS, get_op, nz, operators

NAN = math.nan


@pytest.mark.parametrize(
    ("name", "just_equal", "just_apart"),
    [("gt", False, True), ("ge", True, True), ("eq", True, False), ("ne", False, True), ("le", True, False)],
)
def test_comparison_treats_differences_up_to_1e_10_as_equal(name: str, just_equal: bool, just_apart: bool) -> None:
    compare = getattr(operators, name)
    assert bool(compare(1e-10, 0.0)) is just_equal
    assert bool(compare(2e-10, 0.0)) is just_apart


def test_lower_by_more_than_the_tolerance_is_less() -> None:
    assert operators.lt([0.0, 0.0], [2e-10, 1e-10]).tolist() == [True, False]


@pytest.mark.parametrize("name", ["gt", "ge", "lt", "le", "eq", "ne"])
def test_comparison_with_an_undefined_value_is_false(name: str) -> None:
    assert get_op(name).reference([NAN, 1.0], [1.0, NAN]).tolist() == [False, False]


def test_division_by_zero_is_undefined_and_whole_numbers_keep_their_fraction() -> None:
    np.testing.assert_array_equal(operators.div([1, 7, 0], [2, 0, 0]), [0.5, NAN, NAN])


def test_extremes_of_two_propagate_the_undefined() -> None:
    np.testing.assert_array_equal(operators.minimum([1.0, NAN], [2.0, 2.0]), [1.0, NAN])
    np.testing.assert_array_equal(operators.maximum([1.0, NAN], [2.0, 2.0]), [2.0, NAN])


def test_nz_replaces_only_the_undefined() -> None:
    assert nz([NAN, 2.0]).tolist() == [0.0, 2.0]
    assert nz([NAN, 2.0], 7.0).tolist() == [7.0, 2.0]


def test_selection_and_logic() -> None:
    assert operators.where([True, False], [1.0, 1.0], [2.0, 2.0]).tolist() == [1.0, 2.0]
    assert operators.logical_and([True, True], [True, False]).tolist() == [True, False]
    assert operators.logical_or([False, True], [False, False]).tolist() == [False, True]
    assert operators.logical_not([True, False]).tolist() == [False, True]


def test_plain_arithmetic() -> None:
    assert operators.add(2, 3) == 5.0
    assert operators.sub(2, 3) == -1.0
    assert operators.mul(2, 3) == 6.0
    assert operators.absolute(-2) == 2.0
    assert operators.floor(-1.5) == -2.0


def test_registry_names_every_operation_by_its_key() -> None:
    assert all(name == spec.name for name, spec in OPS.items())


def test_unknown_operation_lists_the_known_ones() -> None:
    with pytest.raises(ResearchError, match="sma"):
        get_op("smaa")
