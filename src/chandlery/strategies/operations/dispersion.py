"""Dispersion, bands and ranks."""

from chandlery.strategies.expressions import Op, Operand, as_expression
from chandlery.strategies.operations.averages import ema, sma
from chandlery.strategies.operations.build import op
from chandlery.strategies.operations.ranges import tr


def variance(values: Operand, length: Operand) -> Op:
    """Variance of the last `length` values, divided by `length`."""
    return op("variance", values, length)


def stdev(values: Operand, length: Operand) -> Op:
    """Standard deviation of the last `length` values, divided by `length`."""
    return op("stdev", values, length)


def dev(values: Operand, length: Operand) -> Op:
    """Mean absolute deviation from the mean of the last `length` values."""
    return op("dev", values, length)


def percentrank(values: Operand, length: Operand) -> Op:
    """Percentage of the `length` values before this one that are not above it."""
    return op("percentrank", values, length)


def correlation(first: Operand, second: Operand, length: Operand) -> Op:
    """Pearson correlation over the last `length` values."""
    return op("correlation", first, second, length)


def zscore(values: Operand, length: Operand) -> Op:
    """Distance from the mean in standard deviations."""
    x = as_expression(values)
    return (x - sma(x, length)) / stdev(x, length)


def bb(values: Operand, length: Operand, factor: Operand) -> tuple[Op, Op, Op]:
    """Bollinger bands: middle, upper, lower."""
    middle, reach = sma(values, length), as_expression(factor) * stdev(values, length)
    return middle, middle + reach, middle - reach


def bbw(values: Operand, length: Operand, factor: Operand) -> Op:
    """Width of the Bollinger bands, percent of the middle."""
    middle, upper, lower = bb(values, length, factor)
    return (upper - lower) / middle * 100


def kc(values: Operand, length: Operand, factor: Operand) -> tuple[Op, Op, Op]:
    """Keltner channel around an `ema`, with the `ema` of the true range: middle, upper, lower."""
    middle, reach = ema(values, length), as_expression(factor) * ema(tr(), length)
    return middle, middle + reach, middle - reach


def kcw(values: Operand, length: Operand, factor: Operand) -> Op:
    """Width of the Keltner channel as a fraction of the middle."""
    middle, upper, lower = kc(values, length, factor)
    return (upper - lower) / middle
