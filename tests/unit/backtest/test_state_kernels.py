"""The compiled operations of this group against their references, row by row and bit by bit."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from chandlery.indicators import Role, get_op
from tests.builders.tape_runs import run_operation

BARS = 300
ELEMENTWISE = (
    *("add", "sub", "mul", "div", "mod", "abs", "floor", "sign", "sqrt", "exp", "log", "pow", "min", "max", "nz"),
    *("where", "gt", "ge", "lt", "le", "eq", "ne", "and", "or", "not", "isna"),
)
STATES = ("crossover", "crossunder", "cross", "latch", "cum", "cum_since", "fixnan", "barssince")
WINDOWS = ("highest", "lowest", "highestbars", "lowestbars", "rising", "falling", "change")
RANGES = ("tr", "filled_tr", "heikin_ashi_open")
LENGTHS = (1, 2, 3, 7, 8, 20, 299, 300, 301, 1000)


def series(kind: str, seed: int, bars: int = BARS) -> NDArray[np.float64]:
    """Return a row of one kind: what real bars and nested indicators can look like."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=bars))
    rows = {
        "walk": 100.0 + walk,
        "coarse": np.floor(walk),
        "dust": 5.0 + rng.integers(-3, 4, bars) * 5e-11,
        "flat": np.where(np.arange(bars) % 90 < 70, 2.0, walk),
        "head": np.where(np.arange(bars) < rng.integers(1, 40), np.nan, walk),
        "holes": np.where(rng.random(bars) < 0.1, np.nan, np.floor(walk)),
        "sparse": np.where(rng.random(bars) < 0.9, np.nan, walk),
        "undefined": np.full(bars, np.nan),
    }
    return rows[kind]


KINDS = ("walk", "coarse", "dust", "flat", "head", "holes", "sparse", "undefined")
every_kind = pytest.mark.parametrize("kind", KINDS)


def assert_equal_to_the_reference(name: str, *operands: object) -> None:
    """Compare bit by bit; a signal is 0.0 or 1.0 on every bar."""
    expected = get_op(name).reference(*operands)
    np.testing.assert_array_equal(run_operation(name, *operands), expected.astype(np.float64), err_msg=name)


def rows_for(name: str, kind: str, bars: int = BARS) -> list[NDArray[np.generic]]:
    """Return one row per row operand of an operation; conditions hold on a third of the bars."""
    rows: list[NDArray[np.generic]] = []
    for place, role in enumerate(get_op(name).operands):
        if role is Role.CONDITION:
            rows.append(np.random.default_rng(40 + place).random(bars) < 0.33)
        elif role in {Role.SERIES, Role.VALUE}:
            rows.append(series(kind, place, bars))
    return rows


@pytest.mark.parametrize("name", [*ELEMENTWISE, *STATES, *RANGES])
@every_kind
def test_operation_without_numbers_equals_its_reference(name: str, kind: str) -> None:
    rows = rows_for(name, kind)
    assert_equal_to_the_reference(name, *rows)
    assert_equal_to_the_reference(name, *(row[::-1].copy() for row in rows))
    assert_equal_to_the_reference(name, *(row[:1] for row in rows))


@pytest.mark.parametrize("name", ["mod", "div", "pow", "min", "max", "nz", "eq", "ge"])
def test_operation_on_signs_zeros_and_holes_equals_its_reference(name: str) -> None:
    corners = [-7.5, -3.0, -2.0, -1e-11, 0.0, 0.5, 1.0, 2.0, 3.0, 1e200, np.nan]
    first, second = np.array(list(product(corners, corners))).T
    assert_equal_to_the_reference(name, first, second)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sign", "floor", "isna"])
def test_function_at_the_edge_of_its_range_equals_its_reference(name: str) -> None:
    assert_equal_to_the_reference(name, np.array([-1e308, -800.0, -1e-310, 0.0, 1e-310, 709.0, 710.0, 1e308, np.inf]))


@pytest.mark.parametrize("name", WINDOWS)
@every_kind
def test_window_equals_its_reference_for_every_length(name: str, kind: str) -> None:
    for seed, length in product((1, 2), LENGTHS):
        assert_equal_to_the_reference(name, series(kind, seed), length)
    for bars, length in product((1, 2, 3), (1, 2, 3, 4)):
        assert_equal_to_the_reference(name, series(kind, 3, bars), length)


@pytest.mark.parametrize("name", ["pivothigh", "pivotlow"])
@every_kind
def test_pivot_equals_its_reference_for_every_pair_of_sides(name: str, kind: str) -> None:
    for left, right in [*product((1, 2, 5), (1, 2, 5)), (200, 99), (200, 100)]:
        assert_equal_to_the_reference(name, series(kind, left), left, right)
    assert_equal_to_the_reference(name, series(kind, 3, 3), 1, 1)


@pytest.mark.parametrize("occurrence", [0, 1, 4, 500])
@every_kind
def test_value_at_a_condition_equals_its_reference(kind: str, occurrence: int) -> None:
    assert_equal_to_the_reference("valuewhen", *rows_for("valuewhen", kind), occurrence)


@pytest.mark.parametrize("speed", [(0.02, 0.02, 0.2), (0.25, 0.25, 0.13), (0.5, 0.1, 0.9), (0.0, 0.0, 0.0)])
@every_kind
def test_parabolic_line_equals_its_reference(kind: str, speed: tuple[float, float, float]) -> None:
    low = series(kind, 5)
    high = low + np.abs(series("coarse", 6)) * 0.5
    for bars in (1, 2, 3, BARS):
        assert_equal_to_the_reference("sar", high[:bars], low[:bars], low[:bars], *speed)


@pytest.mark.parametrize("name", ["supertrend", "supertrend_direction", "atr"])
@every_kind
def test_line_of_ranges_equals_its_reference(name: str, kind: str) -> None:
    close = series(kind, 7)
    high, low = close + np.abs(series("coarse", 8)) * 0.5, close - 0.5
    for length, factor in ((1, 1.0), (10, 3.0), (40, 0.5), (400, 1.0)):
        numbers = (length,) if name == "atr" else (factor, length)
        assert_equal_to_the_reference(name, high, low, close, *numbers)
        assert_equal_to_the_reference(name, close, close, close, *numbers)
        assert_equal_to_the_reference(name, high[:1], low[:1], close[:1], *numbers)


def test_supertrend_keeps_its_state_over_a_hole_inside_the_bars() -> None:
    close = series("walk", 9)
    high = np.where(np.arange(BARS) % 37 == 30, np.nan, close + 1.0)
    for name in ("supertrend", "supertrend_direction"):
        assert_equal_to_the_reference(name, high, close - 1.0, close, 2.0, 5)
