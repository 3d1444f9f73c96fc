"""Kinds: what an expression yields, checked when a strategy is built."""

from collections.abc import Mapping
from enum import StrEnum

from chandlery.errors import BadParameters, LookAhead, ResearchError
from chandlery.indicators import Role, Scalar, get_op
from chandlery.strategies.expressions import Const, Expression, Hist, Op, Param, Series
from chandlery.strategies.parameters import Int, Parameter


class Kind(StrEnum):
    """What an expression yields."""

    SERIES = "float series"
    SIGNAL = "bool series"
    NUMBER = "number"
    INTEGER = "whole number"
    FLAG = "true or false"


_ACCEPTED = {
    Role.SERIES: {Kind.SERIES},
    Role.VALUE: {Kind.SERIES, Kind.NUMBER, Kind.INTEGER},
    Role.CONDITION: {Kind.SIGNAL, Kind.FLAG},
    Role.LENGTH: {Kind.INTEGER},
    Role.COUNT: {Kind.INTEGER},
    Role.NUMBER: {Kind.NUMBER, Kind.INTEGER},
}
_SHORTEST = {Role.LENGTH: 1, Role.COUNT: 0}
_SERIES_KINDS = {Kind.SERIES, Kind.SIGNAL}


def kind_of(expression: Expression, params: Mapping[str, Parameter]) -> Kind:
    """Return what `expression` yields, checking every node below it.

    Raises:
        BadParameters: for a parameter that is not declared.
        ResearchError: for an operand of the wrong kind or a length below 1.
        LookAhead: for a history offset whose range goes below 0.
    """
    match expression:
        case Series():
            return Kind.SERIES
        case Const():
            return Kind.INTEGER if isinstance(expression.value, int) else Kind.NUMBER
        case Param():
            return Kind.INTEGER if isinstance(_declared(expression, params), Int) else Kind.NUMBER
        case Hist():
            return _kind_of_history(expression, params)
        case Op():
            return _kind_of_op(expression, params)
        case _:
            raise ResearchError(f"An expression was a {type(expression).__name__}; build it from the five nodes.")


def _declared(param: Param, params: Mapping[str, Parameter]) -> Parameter:
    if param.name not in params:
        raise BadParameters(f"Parameter {param.name!r} is used and not declared; declared are {', '.join(params)}.")
    return params[param.name]


def _kind_of_history(node: Hist, params: Mapping[str, Parameter]) -> Kind:
    kind = kind_of(node.operand, params)
    if kind not in _SERIES_KINDS:
        raise ResearchError(f"History was asked of a {kind}; only a series has one.")
    if isinstance(node.bars, Param):
        declared = _declared(node.bars, params)
        if not isinstance(declared, Int):
            raise ResearchError(f"Parameter {node.bars.name!r} counts bars back and must be an Int.")
        if declared.lo < 0:
            raise LookAhead(f"Parameter {node.bars.name!r} counts bars back from {declared.lo}; below 0 is the future.")
    return kind


def _kind_of_op(node: Op, params: Mapping[str, Parameter]) -> Kind:
    spec = get_op(node.name)
    kinds = [kind_of(operand, params) for operand in node.operands]
    for position, (role, kind) in enumerate(zip(spec.operands, kinds, strict=True), start=1):
        if kind not in _ACCEPTED[role]:
            wanted = " or ".join(sorted(_ACCEPTED[role]))
            raise ResearchError(f"Operand {position} of {node.name} was a {kind}; it takes a {wanted}.")
        if role in _SHORTEST:
            _check_length(node.operands[position - 1], params, op=node.name, shortest=_SHORTEST[role])
    if any(kind in _SERIES_KINDS for kind in kinds):
        return Kind.SIGNAL if spec.is_signal else Kind.SERIES
    return _scalar_kind(node, spec.scalar, kinds)


def _scalar_kind(node: Op, scalar: Scalar, kinds: list[Kind]) -> Kind:
    match scalar:
        case Scalar.NEVER:
            raise ResearchError(f"{node.name} was given numbers only; at least one operand must be a series.")
        case Scalar.FLAG:
            return Kind.FLAG
        case Scalar.WHOLE:
            return Kind.INTEGER
        case Scalar.KEEP if all(kind is Kind.INTEGER for kind in kinds):
            return Kind.INTEGER
        case _:
            return Kind.NUMBER


def _check_length(length: Expression, params: Mapping[str, Parameter], *, op: str, shortest: int) -> None:
    found: float | int = shortest
    if isinstance(length, Const):
        found = length.value
    elif isinstance(length, Param):
        found = _declared(length, params).lo
    if found < shortest:
        raise ResearchError(
            f"A length of {op} may be {found}; it is at least {shortest} bar{'' if shortest == 1 else 's'}."
        )
