"""Definitions as text: what is read is what is meant."""

import pytest

from chandlery.strategies import Const, Expression, Param
from chandlery.strategies.operations import close, crossover, high, low, open_, sma
from chandlery.strategies.wording import say


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (close - (high - low), "close - (high - low)"),
        (close - high - low, "close - high - low"),
        ((close + high) * 2, "(close + high) * 2"),
        (close + high * 2, "close + high * 2"),
        (close / (high * low), "close / (high * low)"),
        (-close, "-close"),
        (-(close + 1), "-(close + 1)"),
        ((high - low)[1], "(high - low)[1]"),
        (sma(close, Param("n"))[Param("k")], "sma(close, n)[k]"),
        ((close > open_) & ~(close < low[1]), "close > open and not close < low[1]"),
        (((close > 1) | (close < 2)) & (high > 3), "(close > 1 or close < 2) and high > 3"),
        (~((close > 1) | (close < 2)), "not (close > 1 or close < 2)"),
        (crossover(close, sma(close, 20) * Const(1.025)), "crossover(close, sma(close, 20) * 1.025)"),
        (close % 2 > 0, "close % 2 > 0"),
    ],
)
def test_parentheses_stand_where_they_change_the_meaning(expression: Expression, text: str) -> None:
    assert say(expression) == text


def test_a_named_part_is_called_by_its_name() -> None:
    average = sma(close, 20)
    assert say(average[1] + average, {average: "base"}) == "base[1] + base"
