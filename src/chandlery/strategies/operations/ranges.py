"""True range, directional movement and trailing lines."""

from chandlery.strategies.expressions import Op, Operand, as_expression
from chandlery.strategies.operations.arithmetic import absolute, eq, where
from chandlery.strategies.operations.averages import rma
from chandlery.strategies.operations.bars import close, high, low, ohlc4, open_
from chandlery.strategies.operations.build import op
from chandlery.strategies.operations.extremes import change, highestbars, lowestbars
from chandlery.strategies.operations.totals import total


def tr(*, handle_na: bool = False) -> Op:
    """True range of the bar."""
    return op("filled_tr" if handle_na else "tr", high, low, close)


def atr(length: Operand) -> Op:
    """Average true range."""
    return op("atr", high, low, close, length)


def dmi(length: Operand, smoothing: Operand) -> tuple[Op, Op, Op]:
    """Directional movement: +DI, -DI, ADX."""
    up, down = change(high), change(low) * -1
    # A product with the change keeps the na of the first bar, which the averages must not count.
    rises = where((up > down) & (up > 0), up, up * 0)
    falls = where((down > up) & (down > 0), down, down * 0)
    span = rma(tr(), length)
    plus = 100 * rma(rises, length) / span
    minus = 100 * rma(falls, length) / span
    both = plus + minus
    index = 100 * rma(absolute(plus - minus) / where(eq(both, 0), 1, both), smoothing)
    return plus, minus, index


def aroon(length: Operand) -> tuple[Op, Op]:
    """Aroon up and down, 0 to 100."""
    bars = as_expression(length)
    return (
        100 * (highestbars(high, bars + 1) + bars) / bars,
        100 * (lowestbars(low, bars + 1) + bars) / bars,
    )


def vortex(length: Operand) -> tuple[Op, Op]:
    """Vortex indicator: +VI, -VI."""
    span = total(tr(), length)
    return total(absolute(high - low[1]), length) / span, total(absolute(low - high[1]), length) / span


def sar(start: Operand, step: Operand, top: Operand) -> Op:
    """Parabolic stop and reverse."""
    return op("sar", high, low, close, start, step, top)


def sar_next(start: Operand, step: Operand, top: Operand) -> Op:
    """Where the parabolic stop and reverse will lie on the next bar, before that is seen."""
    return op("sar_next", high, low, close, start, step, top)


def supertrend(factor: Operand, length: Operand) -> tuple[Op, Op]:
    """Supertrend line and its direction: -1 up, 1 down."""
    given = (high, low, close, factor, length)
    return op("supertrend", *given), op("supertrend_direction", *given)


def heikin_ashi() -> tuple[Op, Op]:
    """Open and close of the Heikin-Ashi bar."""
    return op("heikin_ashi_open", open_, close, ohlc4), op("add", ohlc4, 0)
