"""Validation of parameter values, one at a time or as a matrix of candidates."""

import difflib
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandlery.errors import BadParameters
from chandlery.strategies.definition import nodes
from chandlery.strategies.expressions import Const, Expression, Op, Param
from chandlery.strategies.parameters import Int, Parameter
from chandlery.strategies.scalars import columns_of, evaluate
from chandlery.strategies.searchable import Searchable

_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "and", "or": "or"}
_SIGNS |= {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def lattice_size(strategy: Searchable) -> int:
    """Return the number of points of the parameter lattice, constraints not considered."""
    return math.prod(parameter.points for parameter in strategy.params.values())


def parameter_faults(strategy: Searchable, values: Mapping[str, float]) -> dict[str, str]:
    """Return what is wrong with `values`, one sentence per field; empty if nothing is.

    Missing parameters count with their default. A value must lie in its range; it need not lie on the lattice,
    which only the search walks. A broken constraint is a fault of every parameter it names.
    """
    faults = {name: _unknown(name, strategy) for name in values if name not in strategy.params}
    merged = strategy.defaults | {name: value for name, value in values.items() if name in strategy.params}
    for name, parameter in strategy.params.items():
        if fault := _range_fault(parameter, merged[name]):
            faults[name] = fault
    if faults:
        return faults
    columns = {name: np.array([float(value)]) for name, value in merged.items()}
    for constraint in strategy.constraints:
        if not evaluate(constraint, columns)[0]:
            named = dict.fromkeys(node.name for node in nodes(constraint) if isinstance(node, Param))
            given = ", ".join(f"{name} = {merged[name]}" for name in named)
            faults |= dict.fromkeys(named, f"{describe(constraint)} must hold, was {given}")
    return faults


def validate_params(strategy: Searchable, values: Mapping[str, float]) -> dict[str, float | int]:
    """Return `values` completed with defaults, in the strategy's order, whole numbers as int.

    Raises:
        BadParameters: listing one fault per field.
    """
    if faults := parameter_faults(strategy, values):
        listed = "\n".join(f"  {name}: {fault}" for name, fault in faults.items())
        raise BadParameters(f"Parameters of {strategy.name} were checked; these are wrong:\n{listed}")
    merged = strategy.defaults | dict(values)
    return {
        name: int(merged[name]) if isinstance(parameter, Int) else float(merged[name])
        for name, parameter in strategy.params.items()
    }


def allowed_rows(strategy: Searchable, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return, per row of a candidate matrix `[candidates, parameters]`, whether ranges and constraints hold."""
    allowed = np.ones(rows.shape[0], dtype=np.bool_)
    columns = columns_of(strategy.param_names, rows)
    for name, parameter in strategy.params.items():
        column = columns[name]
        allowed &= (column >= parameter.lo) & (column <= parameter.hi)
        if isinstance(parameter, Int):
            allowed &= column == np.floor(column)
    for constraint in strategy.constraints:
        allowed &= evaluate(constraint, columns).astype(np.bool_)
    return allowed


def checked_rows(strategy: Searchable, param_matrix: ArrayLike) -> NDArray[np.float64]:
    """Return a candidate matrix `[candidates, parameters]` as float64, every row allowed.

    Raises:
        BadParameters: for a matrix of another shape or a candidate outside ranges and constraints.
    """
    rows = np.ascontiguousarray(param_matrix, dtype=np.float64)
    expected = len(strategy.params)
    if rows.ndim != 2 or rows.shape[0] < 1 or rows.shape[1] != expected:
        names = ", ".join(strategy.param_names)
        raise BadParameters(f"Candidates were of shape {rows.shape}; {strategy.name} takes [n, {expected}]: {names}.")
    allowed = allowed_rows(strategy, rows)
    if not allowed.all():
        at = int(np.flatnonzero(~allowed)[0])
        given = dict(zip(strategy.param_names, rows[at].tolist(), strict=True))
        raise BadParameters(f"Candidate {at} of {strategy.name} was {given}, outside its ranges or constraints.")
    return rows


def describe(expression: Expression) -> str:
    """Return a number expression as text, `fast < slow`."""
    match expression:
        case Param():
            return expression.name
        case Const():
            return str(expression.value)
        case Op() if expression.name in _SIGNS:
            left, right = (describe(operand) for operand in expression.operands)
            return f"{left} {_SIGNS[expression.name]} {right}"
        case Op():
            return f"{expression.name}({', '.join(describe(operand) for operand in expression.operands)})"
        case _:
            return type(expression).__name__.lower()


def _unknown(name: str, strategy: Searchable) -> str:
    near = difflib.get_close_matches(name, strategy.params, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no such parameter, known are {', '.join(strategy.params)}{hint}"


def _range_fault(parameter: Parameter, value: float) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return f"was {value!r}; it is a number"
    if isinstance(parameter, Int) and value != math.floor(value if math.isfinite(value) else 0.5):
        return f"was {value}; it is a whole number between {parameter.lo} and {parameter.hi}"
    if not parameter.lo <= value <= parameter.hi:
        return f"was {value}; it lies between {parameter.lo} and {parameter.hi}"
    return None
