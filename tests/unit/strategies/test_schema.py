"""JSON schemas: they accept what we write and refuse what we would refuse."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chandlery.strategies import (
    Adds,
    Basis,
    Bracket,
    Distance,
    EntryOrder,
    Int,
    OrderKind,
    Param,
    Session,
    Sizing,
    SizingKind,
    Strategy,
    Trail,
    all_portfolios,
    all_strategies,
    from_json,
    get_strategy,
    portfolio_to_json,
    to_json,
)
from chandlery.strategies.operations import atr, close, high, highest, low, lowest
from chandlery.strategies.schema import definition_schema, parameter_schema

DEFINITION = Draft202012Validator(definition_schema())


def everything() -> Strategy:
    """Return a strategy that uses every rule there is."""
    reach = Distance(value=2 * atr(14), basis=Basis.DISTANCE, is_frozen=True)
    return Strategy(
        name="everything", version=1, family="trend", title="Everything", doc="All rules.",
        params={"length": Int(default=20, lo=5, hi=80)},
        long_entry=close > low, short_entry=close < high,
        long_order=EntryOrder(kind=OrderKind.STOP, level=highest(high, Param("length")), cancel=close < low[1]),
        short_order=EntryOrder(kind=OrderKind.LIMIT, level=lowest(low, 5)),
        one_cancels_other=True,
        long_bracket=Bracket(
            stop=reach, limit=Distance(value=close, basis=Basis.PRICE), max_bars=Param("length"),
            trail=Trail(offset=reach, activation=Distance(value=close * 0 + 1, basis=Basis.TICKS)),
        ),
        adds=Adds(units=4, distance=reach),
        sizing=Sizing(kind=SizingKind.CASH, value=close * 10),
        session=Session(start=570, end=960, is_flat_outside=True),
    )  # fmt: skip


def test_both_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(definition_schema())
    for strategy in all_strategies().values():
        Draft202012Validator.check_schema(parameter_schema(strategy))


@pytest.mark.parametrize("strategy", [*all_strategies().values(), everything()], ids=lambda strategy: strategy.name)
def test_every_definition_and_its_defaults_are_valid(strategy: Strategy) -> None:
    DEFINITION.validate(json.loads(to_json(strategy)))
    Draft202012Validator(parameter_schema(strategy)).validate(dict(strategy.defaults))


@pytest.mark.parametrize("name", all_portfolios())
def test_every_definition_over_several_symbols_is_valid(name: str) -> None:
    document = json.loads(portfolio_to_json(all_portfolios()[name]))
    DEFINITION.validate(document)
    document["expressions"]["sideways"] = {"series": "close"}
    assert not DEFINITION.is_valid(document)
    Draft202012Validator(parameter_schema(all_portfolios()[name])).validate(dict(all_portfolios()[name].defaults))


@pytest.mark.parametrize(
    "values", [{"fast": 9}, {"slow": 801}, {"fast": 20.5}, {"fast": "20"}, {"fats": 20}, {"fast": None}, []]
)
def test_parameters_out_of_range_or_unknown_are_invalid(values: Any) -> None:
    validator = Draft202012Validator(parameter_schema(get_strategy("sma_cross")))
    assert validator.is_valid({"fast": 10, "slow": 800})
    assert not validator.is_valid(values)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 0),
        (("family",), "No Family"),
        (("params", 0, "type"), "number"),
        (("params", 0, "lo"), 1.5),
        (("signals", "sideways"), {"series": "close"}),
        (("signals", "long_entry"), {"series": "future"}),
        (("signals", "long_entry"), {"op": "gt", "of": [{"series": "close"}]}),
        (("signals", "long_entry"), {"op": "foretell", "of": [{"series": "close"}]}),
        (("signals", "long_entry"), {"hist": {"series": "close"}, "bars": -1}),
        (("rules", "long_bracket"), {}),
        (("rules", "adds", "units"), 1),
        (("rules", "session", "end"), 1500),
        (("rules", "long_order", "kind"), "market"),
        (("one_cancels_other",), None),
    ],
)
def test_a_document_with_a_wrong_place_is_invalid(path: tuple[str | int, ...], value: Any) -> None:
    document = json.loads(to_json(everything()))
    assert from_json(json.dumps(document)) == everything()
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not DEFINITION.is_valid(changed)
