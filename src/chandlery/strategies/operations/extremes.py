"""Extremes, pivots and changes."""

from chandlery.strategies.expressions import Op, Operand
from chandlery.strategies.operations.build import op


def highest(values: Operand, length: Operand) -> Op:
    """Highest of the last `length` values."""
    return op("highest", values, length)


def lowest(values: Operand, length: Operand) -> Op:
    """Lowest of the last `length` values."""
    return op("lowest", values, length)


def highestbars(values: Operand, length: Operand) -> Op:
    """Offset of the highest of the last `length` values: 0 or negative."""
    return op("highestbars", values, length)


def lowestbars(values: Operand, length: Operand) -> Op:
    """Offset of the lowest of the last `length` values: 0 or negative."""
    return op("lowestbars", values, length)


def pivothigh(values: Operand, left: Operand, right: Operand) -> Op:
    """A high above `left` bars before and `right` bars after it, told `right` bars later; else na."""
    return op("pivothigh", values, left, right)


def pivotlow(values: Operand, left: Operand, right: Operand) -> Op:
    """A low below `left` bars before and `right` bars after it, told `right` bars later; else na."""
    return op("pivotlow", values, left, right)


def change(values: Operand, length: Operand = 1) -> Op:
    """Difference to `length` bars ago."""
    return op("change", values, length)


def rising(values: Operand, length: Operand) -> Op:
    """Whether each of the last `length` bars rose above the bar before it."""
    return op("rising", values, length)


def falling(values: Operand, length: Operand) -> Op:
    """Whether each of the last `length` bars fell below the bar before it."""
    return op("falling", values, length)


def crossover(first: Operand, second: Operand) -> Op:
    """Whether `first` crosses above `second`."""
    return op("crossover", first, second)


def crossunder(first: Operand, second: Operand) -> Op:
    """Whether `first` crosses below `second`."""
    return op("crossunder", first, second)


def cross(first: Operand, second: Operand) -> Op:
    """Whether `first` leaves the side of `second` it was last on; a touch without passing is no cross."""
    return op("cross", first, second)
