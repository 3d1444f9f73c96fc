"""JSON form of an expression."""

from collections.abc import Mapping
from typing import Any

from chandlery.errors import ResearchError
from chandlery.strategies.expressions import Const, Expression, Hist, Op, Param, Series


def expression_document(expression: Expression) -> dict[str, Any]:
    """Return the JSON document of one expression."""
    match expression:
        case Series():
            leg = {} if expression.leg is None else {"leg": expression.leg}
            return {"series": expression.name, **leg}
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
            return Series(name, document.get("leg"))
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
