"""JSON form of a strategy and its hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chandlery.errors import ResearchError
from chandlery.strategies.definition import SIGNALS, Strategy
from chandlery.strategies.expressions import Const, Expression, Hist, Op, Param, Series
from chandlery.strategies.parameters import Float, Int, Parameter

_TYPES: dict[str, type[Int] | type[Float]] = {"int": Int, "float": Float}


def to_json(strategy: Strategy) -> str:
    """Return the canonical JSON text: sorted keys, no blanks; parameters and names keep their order as lists."""
    document = {
        "name": strategy.name,
        "version": strategy.version,
        "family": strategy.family,
        "title": strategy.title,
        "doc": strategy.doc,
        "refs": list(strategy.refs),
        "params": [_parameter_document(name, parameter) for name, parameter in strategy.params.items()],
        "constraints": [expression_document(constraint) for constraint in strategy.constraints],
        "let": [{"name": name, "value": expression_document(value)} for name, value in strategy.let.items()],
        "signals": {name: expression_document(signal) for name, signal in strategy.signals.items()},
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> Strategy:
    """Return the strategy that `to_json` wrote, checked as any other.

    Raises:
        ResearchError: if the text is not such a document, or the definition in it is wrong.
    """
    try:
        document = json.loads(text)
        signals = document["signals"]
        if unknown := set(signals) - set(SIGNALS):
            raise ResearchError(f"Signals were {', '.join(sorted(unknown))}; known are {', '.join(SIGNALS)}.")
        return Strategy(
            name=document["name"],
            version=document["version"],
            family=document["family"],
            title=document["title"],
            doc=document["doc"],
            refs=tuple(document["refs"]),
            params={entry["name"]: _parameter(entry) for entry in document["params"]},
            constraints=tuple(expression_from(constraint) for constraint in document["constraints"]),
            let={entry["name"]: expression_from(entry["value"]) for entry in document["let"]},
            **{name: expression_from(signal) for name, signal in signals.items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ResearchError(f"A strategy was read from JSON and is malformed: {error!r}.") from error


def definition_hash(strategy: Strategy) -> str:
    """Return the sha256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(to_json(strategy).encode()).hexdigest()


def expression_document(expression: Expression) -> dict[str, Any]:
    """Return the JSON document of one expression."""
    match expression:
        case Series():
            return {"series": expression.name}
        case Param():
            return {"param": expression.name}
        case Const():
            return {"const": expression.value}
        case Hist():
            bars = expression.bars if isinstance(expression.bars, int) else expression_document(expression.bars)
            return {"hist": expression_document(expression.operand), "bars": bars}
        case Op():
            return {"op": expression.name, "of": [expression_document(operand) for operand in expression.operands]}
        case _:
            raise ResearchError(f"A {type(expression).__name__} has no JSON form.")


def expression_from(document: Mapping[str, Any]) -> Expression:
    """Return the expression of a JSON document.

    Raises:
        ResearchError: for a document of no known node.
    """
    match document:
        case {"series": str(name)}:
            return Series(name)
        case {"param": str(name)}:
            return Param(name)
        case {"const": int() | float() as value}:
            return Const(value)
        case {"hist": operand, "bars": int(bars)}:
            return Hist(expression_from(operand), bars)
        case {"hist": operand, "bars": {"param": str(name)}}:
            return Hist(expression_from(operand), Param(name))
        case {"op": str(name), "of": list(operands)}:
            return Op(name, tuple(expression_from(operand) for operand in operands))
        case _:
            raise ResearchError(f"An expression was read from JSON and is no known node: {document!r}.")


def _parameter_document(name: str, parameter: Parameter) -> dict[str, Any]:
    return {"name": name, "type": type(parameter).__name__.lower(), **asdict(parameter)}


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    fields = {key: value for key, value in entry.items() if key not in {"name", "type"}}
    return _TYPES[entry["type"]](**fields)
