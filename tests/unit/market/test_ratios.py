"""Values times exact ratios: every float against integers of any size."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.market._ratios import times

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PARTS = st.integers(1, 2**70)


def nearest(value: float, ratio: Fraction) -> float:
    """Return the float nearest to the exact product, as `Fraction` rounds it."""
    try:
        return float(Fraction(value) * ratio)
    except OverflowError:
        return math.copysign(math.inf, value)


def product(value: float, ratio: Fraction) -> float:
    with np.errstate(over="ignore"):
        return float(times(np.array([value]), [ratio], np.array([0]))[0])


@given(FLOATS, PARTS, PARTS)
def test_product_is_the_nearest_float(value: float, top: int, bottom: int) -> None:
    ratio = Fraction(top, bottom)
    assert product(value, ratio) == pytest.approx(nearest(value, ratio), rel=2**-52, abs=0)
    if max(ratio.numerator, ratio.denominator) <= 2**64:
        assert product(value, ratio) == nearest(value, ratio)


@given(st.floats(1e-3, 1e12), st.integers(1, 5000), st.integers(1, 5000))
def test_product_of_a_price_and_a_split_is_the_nearest_float(value: float, top: int, bottom: int) -> None:
    assert product(value, Fraction(top, bottom)) == nearest(value, Fraction(top, bottom))


def test_exact_ties_go_to_the_even_neighbour() -> None:
    # 3 * (2^52 + 1) / 2 lies exactly between two floats, and so do its multiples by 5/3 of thirds.
    for value, ratio in [
        (2.0**52 + 1, Fraction(3, 2)),
        (3 * (2.0**51 + 1), Fraction(5, 3)),
        (2.0**53 - 1, Fraction(5)),
    ]:
        assert product(value, ratio) == nearest(value, ratio)


def test_numbers_that_are_none_and_zeros_stay_what_they_are() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
    result = times(values, [Fraction(1, 3)], np.zeros(5, dtype=np.intp))
    assert result.tobytes() == values.tobytes()


def test_tiny_and_huge_values_are_exact_too() -> None:
    for value in (5e-324, 1e-310, 1e-250, 1e250, 1.7e308):
        assert product(value, Fraction(2, 3)) == nearest(value, Fraction(2, 3))
    assert product(1.7e308, Fraction(3)) == math.inf


def test_each_value_has_its_own_ratio() -> None:
    result = times(np.array([9.0, 9.0, 9.0]), [Fraction(1, 3), Fraction(2), Fraction(1)], np.array([1, 0, 2]))
    assert result.tolist() == [18.0, 3.0, 9.0]
