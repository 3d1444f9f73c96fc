from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chandlery.errors import BadParameters, LookAhead, ResearchError
from chandlery.strategies import (
    Const,
    Expression,
    Float,
    Hist,
    Int,
    Kind,
    Op,
    Param,
    Series,
    Strategy,
    definition_hash,
    from_json,
    kind_of,
    to_json,
    warmup_bars,
)
from chandlery.strategies.operations import (
    absolute,
    atr,
    change,
    close,
    crossover,
    crossunder,
    ema,
    eq,
    floor,
    high,
    highest,
    maximum,
    minimum,
    ne,
    nz,
    rma,
    rsi,
    sma,
    tr,
    where,
)

PARAMS = {"n": Int(default=10, lo=2, hi=20), "level": Float(default=1.0, lo=0.5, hi=2.0, step=0.5)}


def strategy(**changes: Any) -> Strategy:
    """Return a strategy with a two-parameter entry; `changes` replace fields."""
    fields: dict[str, Any] = {
        "name": "probe",
        "version": 1,
        "family": "trend",
        "title": "Probe",
        "doc": "A probe.",
        "params": PARAMS,
        "long_entry": close > sma(close, Param("n")) + atr(5) * Param("level"),
        "long_exit": close < sma(close, Param("n")),
    }
    return Strategy(**(fields | changes))


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        (close, Kind.SERIES),
        (close[1], Kind.SERIES),
        ((close > high)[1], Kind.SIGNAL),
        (Const(2), Kind.INTEGER),
        (Const(2.0), Kind.NUMBER),
        (Param("n") * 2, Kind.INTEGER),
        (Param("n") / 2, Kind.NUMBER),
        (floor(Param("n") / 2), Kind.INTEGER),
        (Param("n") < Param("level"), Kind.FLAG),
        (sma(close, floor(Param("n") / 2)), Kind.SERIES),
        (where(close > 1, close, 0), Kind.SERIES),
        (~(close > 1) & (close >= 1) | (close <= 1), Kind.SIGNAL),
        (nz(minimum(close, 1) - maximum(close, 2)), Kind.SERIES),
        (eq(absolute(change(close)), tr()), Kind.SIGNAL),
        (ne(rma(close, 3), tr(handle_na=True)), Kind.SIGNAL),
        (crossover(ema(close, 3), rsi(close, 3)), Kind.SIGNAL),
    ],
)
def test_kind_follows_from_the_operands(expression: Expression, kind: Kind) -> None:
    assert kind_of(expression, PARAMS) is kind


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (lambda: sma(close, 2.5), "takes a whole number"),
        (lambda: sma(close, Param("level")), "takes a whole number"),
        (lambda: sma(close, close), "takes a whole number"),
        (lambda: sma(3, 2), "takes a float series"),
        (lambda: sma(close, 0), "at least 1 bar"),
        (lambda: (close > 1) + 1, "takes a"),
        (lambda: close & (close > 1), "takes a"),
        (lambda: crossover(1, 2), "numbers only"),
        (lambda: Hist(Const(1), 1), "only a series"),
        (lambda: close[Param("level")], "must be an Int"),
        (lambda: Op("sma", (close,)), "takes 2 operands"),
        (lambda: Op("smaa", (close, Const(2))), "registered operations"),
        (lambda: Series("cloze"), "known series"),
        (lambda: Const(float("nan")), "finite"),
    ],
)
def test_expression_of_the_wrong_kind_is_refused(expression: Callable[[], Expression], message: str) -> None:
    with pytest.raises(ResearchError, match=message):
        kind_of(expression(), PARAMS)


def test_undeclared_parameter_is_refused() -> None:
    with pytest.raises(BadParameters, match="not declared"):
        strategy(long_entry=close > Param("m"))


def test_negative_history_is_refused_as_look_ahead() -> None:
    with pytest.raises(LookAhead, match="future"):
        _ = close[-1]
    with pytest.raises(LookAhead, match="future"):
        kind_of(close[Param("k")], {"k": Int(default=0, lo=-1, hi=3)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"long_entry": close}, "a signal is a bool series"),
        ({"constraints": (Param("n") + 1,)}, "compares parameters"),
        ({"long_exit": None}, "never closes a long position"),
        ({"let": {"unused": ema(close, 3)}}, "no signal or rule uses it"),
        ({"name": "My Strategy"}, "lower-case identifier"),
        ({"version": 0}, "count from 1"),
    ],
)
def test_definition_that_does_not_hold_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ResearchError, match=message):
        strategy(**changes)


def test_parameter_that_no_signal_uses_is_refused() -> None:
    with pytest.raises(BadParameters, match="no signal or rule uses: spare"):
        strategy(params=PARAMS | {"spare": Int(default=1, lo=1, hi=2)})


def test_short_entry_closes_a_long_position_without_long_exit() -> None:
    short = close < sma(close, Param("n"))
    assert strategy(long_exit=None, short_entry=short).closing == short


def test_json_round_trip_gives_an_equal_strategy_and_hash() -> None:
    original = strategy(
        long_exit=crossunder(close[Param("n")], highest(high, 3)[2]),
        constraints=(Param("level") < Param("n"),),
        let={"mean": sma(close, Param("n"))},
        refs=("a book",),
    )
    copy = from_json(to_json(original))
    assert copy == original
    assert to_json(copy) == to_json(original)
    assert definition_hash(copy) == definition_hash(original)


def test_hash_changes_with_the_kind_of_a_constant() -> None:
    params = {"n": PARAMS["n"]}
    whole, broken = (strategy(params=params, long_entry=close > Const(value)) for value in (2, 2.0))
    assert whole != broken
    assert definition_hash(whole) != definition_hash(broken)


@pytest.mark.parametrize("text", ["{}", "[]", "no json"])
def test_malformed_json_is_refused(text: str) -> None:
    with pytest.raises(ResearchError, match="malformed"):
        from_json(text)


def test_json_with_an_unknown_node_or_signal_is_refused() -> None:
    text = to_json(strategy())
    with pytest.raises(ResearchError, match="no known node"):
        from_json(text.replace('{"series":"close"}', '{"serious":"close"}'))
    with pytest.raises(ResearchError, match="known are long_entry"):
        from_json(text.replace('"long_exit":', '"long_exodus":'))


def test_json_that_reads_the_future_is_refused() -> None:
    text = to_json(strategy(long_exit=close[3] < sma(close, Param("n"))))
    with pytest.raises(LookAhead):
        from_json(text.replace('"bars":3', '"bars":-3'))


def test_definition_is_frozen_down_to_its_parameters() -> None:
    with pytest.raises(TypeError):
        strategy().params["n"] = PARAMS["n"]  # type: ignore[index]


def test_warmup_adds_up_along_the_longest_path() -> None:
    # entry: sma(n) needs n - 1, its rsi(4) 4 more, two bars back 2 more; exit: a cross needs 1 beyond max(4, 0)
    probe = strategy(
        params={"n": PARAMS["n"]},
        long_entry=rsi(sma(close, Param("n")), 4)[2] > 50,
        long_exit=crossunder(change(close, 4), 0),
    )
    assert warmup_bars(probe, np.array([[2.0], [10.0]])).tolist() == [1 + 4 + 2, 9 + 4 + 2]
