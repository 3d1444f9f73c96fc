import pytest

from chandlery.errors import BadParameters
from chandlery.strategies import Float, Int


def test_lattice_of_a_float_is_rounded_to_the_step() -> None:
    level = Float(default=0.3, lo=0.1, hi=0.7, step=0.1)
    assert level.points == 7
    assert [level.value_at(i) for i in range(7)] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def test_lattice_of_an_int_ends_at_hi() -> None:
    length = Int(default=10, lo=5, hi=20, step=5)
    assert [length.value_at(i) for i in range(length.points)] == [5, 10, 15, 20]


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"default": 4, "lo": 5, "hi": 20}, "default"),
        ({"default": 6, "lo": 5, "hi": 20, "step": 5}, "default"),
        ({"default": 5, "lo": 5, "hi": 21, "step": 5}, "whole number of steps"),
        ({"default": 5, "lo": 9, "hi": 5}, "lo <= hi"),
        ({"default": 5, "lo": 5, "hi": 9, "step": 0}, "step above 0"),
        ({"default": 0, "lo": 0, "hi": 9, "log": True}, "lo above 0"),
    ],
)
def test_parameter_that_does_not_fit_together_is_refused(bounds: dict[str, int], message: str) -> None:
    with pytest.raises(BadParameters, match=message):
        Int(**bounds)


def test_float_that_is_not_finite_is_refused() -> None:
    with pytest.raises(BadParameters, match="finite"):
        Float(default=0.0, lo=0.0, hi=float("inf"), step=1.0)
