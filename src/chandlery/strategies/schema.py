"""JSON schemas (draft 2020-12): of a strategy's parameters and of the definition document that `to_json` writes."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from chandlery.indicators import OPS
from chandlery.strategies.definition import SIGNALS, Strategy
from chandlery.strategies.expressions import SOURCES
from chandlery.strategies.parameters import Int, Parameter
from chandlery.strategies.portfolios import Portfolio, TopKind
from chandlery.strategies.rules import Basis, OrderKind, SizingKind
from chandlery.strategies.wording import say

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION: Schema = {"$ref": "#/$defs/expression"}
_DISTANCE: Schema = {"$ref": "#/$defs/distance"}
_WORD: Schema = {"type": "string", "pattern": "^[a-z_][a-z0-9_]*$"}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}
_INTEGER: Schema = {"type": "integer"}
_MINUTE: Schema = {"type": "integer", "minimum": 0, "maximum": 1440}


def parameter_schema(strategy: Strategy | Portfolio) -> Schema:
    """Return the schema of the parameter values of `strategy`; every one may be left out and has its default.

    Ranges are checked by it. Constraints between parameters cannot be said in a schema; `x-constraints` holds them
    as text and `validate_params` decides. `x-step` and `x-log` describe the lattice a search walks.
    """
    return {
        "$schema": DRAFT,
        "title": f"Parameters of {strategy.name}",
        "description": strategy.doc,
        "type": "object",
        "properties": {name: _of_parameter(parameter) for name, parameter in strategy.params.items()},
        "additionalProperties": False,
        "x-constraints": [say(constraint) for constraint in strategy.constraints],
    }


def definition_schema() -> Schema:
    """Return the schema of a definition document: `to_json` of one symbol, `portfolio_to_json` of several.

    It says what the document looks like. Kinds of operands, unused names and reads of the future need the whole
    definition and are refused by `from_json`.
    """
    head = _head()
    single = _record({**head, **_single()})
    places = ("rebalance", "score", "keep", "risk")
    top = _record({"kind": _one_of(TopKind), "value": _EXPRESSION})
    rotation = _record({**dict.fromkeys(places, _EXPRESSION), "top": top}, needed=["rebalance"])
    pair = _record({"hedge": _EXPRESSION, **dict.fromkeys(SIGNALS, _EXPRESSION)}, needed=["hedge", *SIGNALS[:2]])
    several = [
        _record({**head, "type": {"const": kind}, "expressions": form})
        for kind, form in (("rotation", rotation), ("pair", pair))
    ]
    return {"$schema": DRAFT, "title": "Strategy definition", "oneOf": [single, *several], "$defs": _definitions()}


def _head() -> dict[str, Schema]:
    return {
        "name": _WORD,
        "version": {"type": "integer", "minimum": 1},
        "family": _WORD,
        "title": _TEXT,
        "doc": _TEXT,
        "refs": _list(_TEXT),
        "params": _list({"$ref": "#/$defs/parameter"}),
        "constraints": _list(_EXPRESSION),
        "let": _list(_record({"name": _TEXT, "value": _EXPRESSION})),
    }


def _single() -> dict[str, Schema]:
    return {
        "signals": _record(dict.fromkeys(SIGNALS, _EXPRESSION), needed=["long_entry"]),
        "rules": _record(_rules(), needed=[]),
        "one_cancels_other": _FLAG,
    }


def _of_parameter(parameter: Parameter) -> Schema:
    return {
        "type": "integer" if isinstance(parameter, Int) else "number",
        "minimum": parameter.lo,
        "maximum": parameter.hi,
        "default": parameter.default,
        "x-step": parameter.step,
        "x-log": parameter.log,
    }


def _definitions() -> dict[str, Schema]:
    return {
        "expression": {"oneOf": [*_leaves(), _history(), _operation()]},
        "parameter": {"oneOf": [_declared("int", _INTEGER), _declared("float", _NUMBER)]},
        "distance": _record(
            {"value": _EXPRESSION, "basis": _one_of(Basis), "is_frozen": _FLAG}, needed=["value", "basis"]
        ),
    }


def _leaves() -> list[Schema]:
    return [
        _record({"series": {"enum": list(SOURCES)}, "leg": {"type": "integer", "minimum": 0}}, needed=["series"]),
        _record({"param": _TEXT}),
        _record({"const": _NUMBER}),
    ]


def _history() -> Schema:
    bars: Schema = {"oneOf": [{"type": "integer", "minimum": 0}, _record({"param": _TEXT})]}
    return _record({"hist": _EXPRESSION, "bars": bars})


def _operation() -> Schema:
    """Return the form of an operation; how many operands it takes follows from its name.

    One form for all: a form per number of operands would have a validator descend once per form and level.
    """
    by_count: dict[int, list[str]] = {}
    for name, spec in OPS.items():
        by_count.setdefault(len(spec.operands), []).append(name)
    counted = [
        {
            "if": {"properties": {"op": {"enum": names}}},
            "then": {"properties": {"of": {"minItems": count, "maxItems": count}}},
        }
        for count, names in sorted(by_count.items())
    ]
    return {**_record({"op": {"enum": list(OPS)}, "of": _list(_EXPRESSION)}), "allOf": counted}


def _declared(kind: str, number: Schema) -> Schema:
    numbers = dict.fromkeys(("default", "lo", "hi", "step"), number)
    return _record({"name": _TEXT, "type": {"const": kind}, **numbers, "log": _FLAG})


def _rules() -> dict[str, Schema]:
    order = _record({"kind": _one_of(OrderKind), "level": _EXPRESSION, "cancel": _EXPRESSION}, needed=["kind", "level"])
    trail = _record({"offset": _DISTANCE, "activation": _DISTANCE}, needed=["offset"])
    exits = {"stop": _DISTANCE, "limit": _DISTANCE, "trail": trail, "max_bars": _EXPRESSION}
    bracket = {**_record(exits, needed=[]), "minProperties": 1}
    return {
        "long_order": order,
        "short_order": order,
        "long_bracket": bracket,
        "short_bracket": bracket,
        "adds": _record({"units": {"type": "integer", "minimum": 2}, "distance": _DISTANCE}),
        "sizing": _record({"kind": _one_of(SizingKind), "value": _EXPRESSION}, needed=[]),
        "session": _record({"start": _MINUTE, "end": _MINUTE, "is_flat_outside": _FLAG}, needed=["start", "end"]),
    }


def _record(fields: dict[str, Schema], *, needed: Iterable[str] | None = None) -> Schema:
    required = list(fields) if needed is None else list(needed)
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _one_of(words: type[StrEnum]) -> Schema:
    return {"enum": [word.value for word in words]}
