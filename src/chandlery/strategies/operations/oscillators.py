"""Oscillators."""

from chandlery.strategies.expressions import Const, Expression, Op, Operand, Param, as_expression
from chandlery.strategies.operations.arithmetic import absolute, eq, where
from chandlery.strategies.operations.averages import ema, sma
from chandlery.strategies.operations.bars import close, high, low, volume
from chandlery.strategies.operations.build import op
from chandlery.strategies.operations.dispersion import dev
from chandlery.strategies.operations.extremes import change, highest, lowest
from chandlery.strategies.operations.totals import total


def rsi(values: Operand, length: Operand) -> Op:
    """Relative strength index."""
    return op("rsi", values, length)


def stoch(values: Operand, upper: Operand, lower: Operand, length: Operand) -> Op:
    """Place of the value in the range of the last `length` bars, percent; unclamped."""
    bottom = lowest(lower, length)
    return 100 * (as_expression(values) - bottom) / (highest(upper, length) - bottom)


def cci(values: Operand, length: Operand) -> Op:
    """Commodity channel index."""
    x = as_expression(values)
    return (x - sma(x, length)) / (0.015 * dev(x, length))


def cmo(values: Operand, length: Operand) -> Op:
    """Chande momentum oscillator, from plain sums of gains and losses."""
    move = change(values)
    # A product with the move keeps the na of the first bar, which the sums must not count.
    gains = total(where(move >= 0, move, move * 0), length)
    losses = total(where(move >= 0, move * 0, move * -1), length)
    return 100 * (gains - losses) / (gains + losses)


def mfi(values: Operand, length: Operand) -> Op:
    """Money flow index; 100 without outflow."""
    x, move = as_expression(values), change(values)
    flow = x * volume
    inflow = total(where(move > 0, flow, move * 0), length)
    outflow = total(where(move < 0, flow, move * 0), length)
    return where(eq(outflow, 0), 100, 100 - 100 / (1 + inflow / outflow))


def mom(values: Operand, length: Operand) -> Op:
    """Momentum: the difference to `length` bars ago."""
    return change(values, length)


def roc(values: Operand, length: Operand) -> Op:
    """Rate of change, percent."""
    x, bars = as_expression(values), as_expression(length)
    if isinstance(bars, Param):
        return 100 * change(x, bars) / x[bars]
    if isinstance(bars, Const):
        return 100 * change(x, bars) / x[int(bars.value)]
    # History takes no computed number of bars; the difference to the exact value is one rounding.
    return 100 * change(x, bars) / (x - change(x, bars))


def tsi(values: Operand, short: Operand, long: Operand) -> Op:
    """True strength index, -1 to 1."""
    move = change(values)
    return ema(ema(move, long), short) / ema(ema(absolute(move), long), short)


def wpr(length: Operand) -> Op:
    """Williams' percent range, -100 to 0."""
    top = highest(high, length)
    return 100 * (close - top) / (top - lowest(low, length))


def trix(values: Operand, length: Operand) -> Op:
    """Rate of change of a triple `ema`, in hundredths of a percent."""
    smooth = ema(ema(ema(values, length), length), length)
    return 10_000 * change(smooth) / smooth[1]


def macd(values: Operand, fast: Operand, slow: Operand, smoothing: Operand) -> tuple[Op, Op, Op]:
    """Moving average convergence divergence: line, signal, histogram."""
    line = ema(values, fast) - ema(values, slow)
    smooth = ema(line, smoothing)
    return line, smooth, line - smooth


def ppo(values: Operand, fast: Operand, slow: Operand) -> Op:
    """Percentage price oscillator."""
    base: Expression = ema(values, slow)
    return 100 * (ema(values, fast) - base) / base
