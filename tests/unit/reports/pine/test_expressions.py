"""Text of single expressions."""

import pytest

from chandlery.reports.pine.expressions import Statements
from chandlery.reports.pine.syntax import Names
from chandlery.strategies import Const, Expression, Float, Int, Param
from chandlery.strategies.operations import (
    close,
    crossover,
    ema,
    floor,
    high,
    hour,
    kama,
    latch,
    log,
    low,
    open_,
    sma,
    sqrt,
    supertrend,
    volume,
    where,
)

PARAMS = {"n": Int(default=5, lo=1, hi=9), "shift": Float(default=0.0, lo=-1.0, hi=1.0, step=0.5)}
N, SHIFT = Param("n"), Param("shift")


def statements(*expressions: Expression) -> Statements:
    """Return statements that have read `expressions`."""
    found = Statements(Names(), PARAMS, {name: name for name in PARAMS})
    for expression in expressions:
        found.read(expression)
    return found


def text(expression: Expression) -> str:
    """Return the text of one expression, its variables left out."""
    return statements(expression).text(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (high - (low - close), "high - (low - close)"),
        (high - low - close, "high - low - close"),
        ((high - low) * close, "(high - low) * close"),
        (high * low + close, "high * low + close"),
        (100 / close / 3, "100 / close / 3"),
        (high % (low % 7), "high % (low % 7)"),
        (-close + high, "-1 * close + high"),
        ((high > low) & ((low > close) | (close > 1.5)), "high > low and (low > close or close > 1.5)"),
        (~(high > low), "not (high > low)"),
        (where(high > low, where(low > 1, high, low), close), "high > low ? (low > 1 ? high : low) : close"),
        (where(high > low, high, low) + 1, "(high > low ? high : low) + 1"),
    ],
)
def test_parentheses_stand_where_pine_needs_them(expression: Expression, expected: str) -> None:
    assert text(expression) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(2, "2"), (2.0, "2.0"), (0.1 + 0.2, "0.30000000000000004"), (1e-07, "1e-07"), (-3, "-3")]
)
def test_numbers_lose_nothing_and_keep_their_kind(value: float, expected: str) -> None:
    assert text(close * Const(value)) == f"close * {expected}"


@pytest.mark.parametrize(
    ("divisor", "is_guarded"),
    [(close, False), (Const(4), False), (N, False), (volume, True), (SHIFT, True), (hour, True)],
)
def test_division_is_guarded_where_the_divisor_can_be_zero(divisor: Expression, is_guarded: bool) -> None:
    plain = f"high / {getattr(divisor, 'name', 4)}"
    guard = f"math.sign({getattr(divisor, 'name', 4)}) == 0 ? na : "
    assert text(high / divisor) == (guard + plain if is_guarded else plain)


def test_divisor_that_is_read_twice_is_computed_once() -> None:
    found = statements(wanted := high / (high - low))
    assert found.text(wanted) == "math.sign(sub_1) == 0 ? na : high / sub_1"
    assert found.lines == ["sub_1 = high - low"]


def test_roots_and_logarithms_outside_their_domain_are_na() -> None:
    assert text(sqrt(close)) == "math.sign(close) >= 0 ? math.sqrt(close) : na"
    assert text(log(close)) == "math.sign(close) > 0 ? math.log(close) : na"


def test_functions_with_a_memory_stand_outside_of_lazy_operators() -> None:
    condition = (close > 1) & crossover(close, ema(close, N))
    found = statements(condition)
    assert found.text(condition) == "close > 1 and crossover_1"
    assert found.lines == ["ema_1 = ta.ema(close, n)", "crossover_1 = ta.crossover(close, ema_1)"]


def test_what_is_used_twice_is_computed_once() -> None:
    spread = high - low
    found = statements(wanted := sma(spread, 3) > spread)
    assert found.text(wanted) == "sma_1 > sub_1"
    assert found.lines == ["sub_1 = high - low", "sma_1 = ta.sma(sub_1, 3)"]


def test_history_is_asked_of_a_name() -> None:
    found = statements(wanted := (close > open_)[1][N])
    assert found.text(wanted) == "past_1[n]"
    assert found.lines == ["gt_1 = close > open", "past_1 = gt_1[1]"]
    found = statements(wanted := (high - low)[2])
    assert found.text(wanted) == "sub_1[2]"


def test_all_answers_of_one_computation_come_from_one_call() -> None:
    line, direction = supertrend(3.0, 10)
    found = statements(wanted := where(direction < 0, line, close))
    assert found.text(wanted) == "supertrend_direction_1 < 0 ? supertrend_1 : close"
    assert found.lines == ["[supertrend_1, supertrend_direction_1] = ta.supertrend(3.0, 10)"]
    found = statements(direction)
    assert found.text(direction) == "supertrend_direction_1"
    assert found.lines == ["[_, supertrend_direction_1] = ta.supertrend(3.0, 10)"]


def test_functions_are_noted_only_when_used() -> None:
    found = statements(wanted := (kama(close, 10, 2, 30) > close) & latch(close > 2, close < 1))
    found.text(wanted)
    assert found.functions == {"kama", "latch"}
    assert statements(close).functions == set()


def test_lengths_stay_whole_numbers() -> None:
    wanted = sma(close, floor(N / 2) + 1)
    found = statements(wanted)
    found.text(wanted)
    assert found.lines == ["sma_1 = ta.sma(close, math.floor(n / 2) + 1)"]


def test_wished_names_are_given_and_made_unique() -> None:
    found = Statements(Names(), PARAMS, {name: name for name in PARAMS})
    found.read(first := close > open_, "signal")
    found.read(second := close < open_, "signal")
    assert (found.define(first), found.define(second)) == ("signal", "signal_")
