"""The words definitions are written in: price series and one builder per named operation.

Numbers may stand wherever an expression may. What each operation computes, its warm-up and its answer on na are
documented on the function of the same name in `chandlery.indicators`.
"""

from chandlery.strategies.expressions import Op, Operand, Series, as_expression

open_ = Series("open")
high = Series("high")
low = Series("low")
close = Series("close")
volume = Series("volume")
hl2 = Series("hl2")
hlc3 = Series("hlc3")
ohlc4 = Series("ohlc4")


def _op(name: str, *operands: Operand) -> Op:
    return Op(name, tuple(as_expression(operand) for operand in operands))


def sma(values: Operand, length: Operand) -> Op:
    """Simple moving average."""
    return _op("sma", values, length)


def ema(values: Operand, length: Operand) -> Op:
    """Exponential moving average."""
    return _op("ema", values, length)


def rma(values: Operand, length: Operand) -> Op:
    """Wilder's moving average."""
    return _op("rma", values, length)


def rsi(values: Operand, length: Operand) -> Op:
    """Relative strength index."""
    return _op("rsi", values, length)


def change(values: Operand, length: Operand = 1) -> Op:
    """Difference to `length` bars ago."""
    return _op("change", values, length)


def highest(values: Operand, length: Operand) -> Op:
    """Highest of the last `length` values."""
    return _op("highest", values, length)


def lowest(values: Operand, length: Operand) -> Op:
    """Lowest of the last `length` values."""
    return _op("lowest", values, length)


def tr(*, handle_na: bool = False) -> Op:
    """True range of the bar."""
    return _op("filled_tr" if handle_na else "tr", high, low, close)


def atr(length: Operand) -> Op:
    """Average true range."""
    return _op("atr", high, low, close, length)


def crossover(first: Operand, second: Operand) -> Op:
    """Whether `first` crosses above `second`."""
    return _op("crossover", first, second)


def crossunder(first: Operand, second: Operand) -> Op:
    """Whether `first` crosses below `second`."""
    return _op("crossunder", first, second)


def eq(first: Operand, second: Operand) -> Op:
    """Whether both are equal within the tolerance."""
    return _op("eq", first, second)


def ne(first: Operand, second: Operand) -> Op:
    """Whether both differ by more than the tolerance."""
    return _op("ne", first, second)


def absolute(values: Operand) -> Op:
    """Magnitude."""
    return _op("abs", values)


def floor(values: Operand) -> Op:
    """Largest whole number not above the value."""
    return _op("floor", values)


def minimum(first: Operand, second: Operand) -> Op:
    """Smaller of two."""
    return _op("min", first, second)


def maximum(first: Operand, second: Operand) -> Op:
    """Larger of two."""
    return _op("max", first, second)


def nz(values: Operand, replacement: Operand = 0.0) -> Op:
    """The value, or `replacement` where it is na."""
    return _op("nz", values, replacement)


def where(condition: Operand, first: Operand, second: Operand) -> Op:
    """`first` where the condition holds, else `second`."""
    return _op("where", condition, first, second)
