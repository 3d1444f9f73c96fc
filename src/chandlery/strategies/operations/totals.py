"""Totals and states: sums, last values, bars since."""

from chandlery.strategies.expressions import Expression, Op, Operand, as_expression
from chandlery.strategies.operations.arithmetic import maximum, nz, sign, sqrt
from chandlery.strategies.operations.bars import close, high, low, new_day, volume
from chandlery.strategies.operations.build import op
from chandlery.strategies.operations.extremes import change


def total(values: Operand, length: Operand) -> Op:
    """Sum of the last `length` values."""
    return op("sum", values, length)


def cum(values: Operand) -> Op:
    """Sum since the first bar; na answers na and adds nothing."""
    return op("cum", values)


def cum_since(values: Operand, reset: Operand) -> Op:
    """Sum since the last bar on which `reset` held, that bar included, else since the first; na counts 0."""
    return op("cum_since", values, reset)


def fixnan(values: Operand) -> Op:
    """The last value that was not na."""
    return op("fixnan", values)


def valuewhen(condition: Operand, values: Operand, occurrence: Operand = 0) -> Op:
    """The value on the last bar on which the condition held, or `occurrence` such bars before it."""
    return op("valuewhen", condition, values, occurrence)


def barssince(condition: Operand) -> Op:
    """Bars since the condition held, 0 on such a bar, na before the first."""
    return op("barssince", condition)


def latch(on: Operand, off: Operand) -> Op:
    """True from a bar on which `on` holds until one on which `off` holds and `on` does not; false at first."""
    return op("latch", on, off)


def obv() -> Op:
    """On-balance volume: na on the first bar."""
    return cum(sign(change(close)) * volume)


def money_flow() -> Op:
    """Volume weighted by where the close lies in its bar, -1 at the low to 1 at the high; 0 on a bar without range."""
    return nz(((close - low) - (high - close)) / (high - low) * volume)


def accdist() -> Op:
    """Accumulation/distribution: the sum of `money_flow` since the first bar."""
    return cum(money_flow())


def vwap(values: Operand, reset: Expression = new_day) -> Op:
    """Volume-weighted average price since the last `reset`, by default the exchange's day."""
    x = as_expression(values)
    return cum_since(x * volume, reset) / cum_since(volume, reset)


def vwap_stdev(values: Operand, reset: Expression = new_day) -> Op:
    """Volume-weighted standard deviation around `vwap`."""
    x, mean = as_expression(values), vwap(values, reset)
    return sqrt(maximum(cum_since(x * x * volume, reset) / cum_since(volume, reset) - mean * mean, 0))
