"""Arithmetic and comparison words beyond Python's operators."""

from chandlery.strategies.expressions import Op, Operand
from chandlery.strategies.operations.build import op


def absolute(values: Operand) -> Op:
    """Magnitude."""
    return op("abs", values)


def floor(values: Operand) -> Op:
    """Largest whole number not above the value."""
    return op("floor", values)


def sign(values: Operand) -> Op:
    """Sign: -1, 0 or 1."""
    return op("sign", values)


def sqrt(values: Operand) -> Op:
    """Square root; na below 0."""
    return op("sqrt", values)


def exp(values: Operand) -> Op:
    """Exponential function."""
    return op("exp", values)


def log(values: Operand) -> Op:
    """Natural logarithm; na at 0 and below."""
    return op("log", values)


def power(base: Operand, exponent: Operand) -> Op:
    """Power."""
    return op("pow", base, exponent)


def minimum(first: Operand, second: Operand) -> Op:
    """Smaller of two."""
    return op("min", first, second)


def maximum(first: Operand, second: Operand) -> Op:
    """Larger of two."""
    return op("max", first, second)


def nz(values: Operand, replacement: Operand = 0.0) -> Op:
    """The value, or `replacement` where it is na."""
    return op("nz", values, replacement)


def isna(values: Operand) -> Op:
    """Whether the value is na."""
    return op("isna", values)


def where(condition: Operand, first: Operand, second: Operand) -> Op:
    """`first` where the condition holds, else `second`."""
    return op("where", condition, first, second)


def when(condition: Operand, values: Operand) -> Op:
    """The value where the condition holds, else na: a level that stands only at times."""
    return where(condition, values, op("div", values, 0))


def eq(first: Operand, second: Operand) -> Op:
    """Whether both are equal within the tolerance."""
    return op("eq", first, second)


def ne(first: Operand, second: Operand) -> Op:
    """Whether both differ by more than the tolerance."""
    return op("ne", first, second)
