"""Moving averages."""

from chandlery.strategies.expressions import Expression, Op, Operand, as_expression
from chandlery.strategies.operations.arithmetic import floor, sqrt
from chandlery.strategies.operations.bars import volume
from chandlery.strategies.operations.build import op


def sma(values: Operand, length: Operand) -> Op:
    """Simple moving average."""
    return op("sma", values, length)


def ema(values: Operand, length: Operand) -> Op:
    """Exponential moving average."""
    return op("ema", values, length)


def rma(values: Operand, length: Operand) -> Op:
    """Wilder's moving average."""
    return op("rma", values, length)


def wma(values: Operand, length: Operand) -> Op:
    """Linearly weighted moving average."""
    return op("wma", values, length)


def alma(values: Operand, length: Operand, offset: Operand = 0.85, sigma: Operand = 6.0) -> Op:
    """Arnaud Legoux moving average."""
    return op("alma", values, length, offset, sigma)


def kama(values: Operand, length: Operand, fast: Operand, slow: Operand) -> Op:
    """Kaufman's adaptive moving average."""
    return op("kama", values, length, fast, slow)


def linreg(values: Operand, length: Operand, offset: Operand = 0) -> Op:
    """End of the least-squares line over the last `length` values, or `offset` bars before it."""
    return op("linreg", values, length, offset)


def hma(values: Operand, length: Operand) -> Op:
    """Hull moving average: `wma(2 wma(n // 2) - wma(n), floor(sqrt(n)))`."""
    whole = as_expression(length)
    half = wma(values, floor(whole / 2))
    return wma(2 * half - wma(values, whole), floor(sqrt(whole)))


def dema(values: Operand, length: Operand) -> Op:
    """Double exponential moving average: `2 e - ema(e)`."""
    once = ema(values, length)
    return 2 * once - ema(once, length)


def tema(values: Operand, length: Operand) -> Op:
    """Triple exponential moving average: `3 (e1 - e2) + e3`."""
    once = ema(values, length)
    twice = ema(once, length)
    return 3 * (once - twice) + ema(twice, length)


def vwma(values: Operand, length: Operand) -> Op:
    """Volume-weighted moving average: `sma(x v) / sma(v)`."""
    weighted: Expression = as_expression(values) * volume
    return sma(weighted, length) / sma(volume, length)


def swma(values: Operand) -> Op:
    """Symmetrically weighted moving average of four bars, weights 1 2 2 1."""
    x = as_expression(values)
    return (x + 2 * x[1] + 2 * x[2] + x[3]) / 6
