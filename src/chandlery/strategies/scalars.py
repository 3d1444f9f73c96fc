"""Evaluation of number expressions: lengths, levels and constraints, for one or many candidates at once."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import ResearchError
from chandlery.indicators import get_op
from chandlery.strategies.expressions import Const, Expression, Op, Param

Columns = Mapping[str, NDArray[np.float64]]
"""Parameter values by name, one entry per candidate."""


def evaluate(expression: Expression, columns: Columns) -> NDArray[np.float64] | NDArray[np.bool_]:
    """Return the value of a number expression, one per candidate or a single one if it uses no parameter.

    Raises:
        ResearchError: for an expression that holds a series.
    """
    match expression:
        case Const():
            return np.array([float(expression.value)])
        case Param():
            return columns[expression.name]
        case Op():
            return get_op(expression.name).reference(*(evaluate(operand, columns) for operand in expression.operands))
        case _:
            raise ResearchError(f"A {type(expression).__name__} depends on the bars; a number was needed here.")


def columns_of(names: tuple[str, ...], rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a candidate matrix `[candidates, parameters]` by parameter name."""
    return {name: rows[:, index] for index, name in enumerate(names)}
