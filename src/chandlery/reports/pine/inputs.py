"""Inputs: parameters with their range, the chosen values as defaults, and the constraints between them."""

from collections.abc import Iterator, Mapping

from chandlery.reports.pine.expressions import Statements
from chandlery.reports.pine.syntax import literal, quoted
from chandlery.strategies import Int, Parameter, Strategy
from chandlery.strategies.validation import describe


def input_lines(params: Mapping[str, Parameter], values: Mapping[str, float], labels: Mapping[str, str]) -> list[str]:
    """Return one `input.*` line per parameter."""
    lines = []
    for name, parameter in params.items():
        word = "int" if isinstance(parameter, Int) else "float"
        bounds = ((label, literal(getattr(parameter, field))) for label, field in _BOUNDS)
        given = ", ".join(f"{label} = {value}" for label, value in bounds)
        lines.append(f"{labels[name]} = input.{word}({literal(values[name])}, {quoted(name)}, {given})")
    return lines


_BOUNDS = (("minval", "lo"), ("maxval", "hi"), ("step", "step"))


def constraint_lines(strategy: Strategy, statements: Statements) -> Iterator[str]:
    """Yield a guard per constraint: the script stops with a sentence when inputs break it."""
    for constraint in strategy.constraints:
        yield f"if not ({statements.text(constraint)})"
        yield f"    runtime.error({quoted(f'{describe(constraint)} must hold.')})"
