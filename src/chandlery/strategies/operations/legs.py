"""Words about several symbols: a leg of an expression, and least squares of one series on another."""

from chandlery.strategies.expressions import TIME_PARTS, Expression, Hist, Op, Operand, Series, as_expression
from chandlery.strategies.operations.arithmetic import maximum, sqrt
from chandlery.strategies.operations.averages import sma


def leg(expression: Expression, place: int) -> Expression:
    """The same expression read on the symbol at `place` of the panel; time parts are the same on all."""
    match expression:
        case Series() if expression.name not in TIME_PARTS:
            return Series(expression.name, place)
        case Hist():
            return Hist(leg(expression.operand, place), expression.bars)
        case Op():
            return Op(expression.name, tuple(leg(operand, place) for operand in expression.operands))
        case _:
            return expression


def covariance(first: Operand, second: Operand, length: Operand) -> Op:
    """Covariance of the last `length` values, divided by `length`."""
    x, y = as_expression(first), as_expression(second)
    return sma(x * y, length) - sma(x, length) * sma(y, length)


def ols_slope(values: Operand, on: Operand, length: Operand) -> Op:
    """Slope of the least-squares line of `values` on another series over the last `length` bars."""
    return covariance(values, on, length) / covariance(on, on, length)


def ols_zscore(values: Operand, on: Operand, length: Operand) -> Op:
    """The last residual of that line in standard deviations of its residuals, divided by `length`; na if none."""
    y, x = as_expression(values), as_expression(on)
    slope = ols_slope(y, x, length)
    residual = y - sma(y, length) - slope * (x - sma(x, length))
    spread = covariance(y, y, length) - slope * covariance(y, x, length)
    return residual / sqrt(maximum(spread, 0))
