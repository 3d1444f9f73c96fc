"""Operations bar by bar: constants, history, arithmetic, comparison, logic."""

import math

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, kernel

_TOLERANCE = 1e-10


@kernel
def layout(code: int, a: Row, number: float, out: Row) -> None:
    """Spread a number over the bars, or shift a row by `number` bars."""
    if code == opcodes.FILL:
        out[:] = number
        return
    bars = min(int(number), out.size)
    out[:bars] = 0.0 if code == opcodes.HIST_SIGNAL else math.nan
    out[bars:] = a[: out.size - bars]


@kernel
def arithmetic(code: int, a: Row, b: Row, c: Row, out: Row) -> None:
    """Arithmetic of two rows; `WHERE` and `NZ` choose between rows."""
    if code == opcodes.ADD:
        for i in range(out.size):
            out[i] = a[i] + b[i]
    elif code == opcodes.SUB:
        for i in range(out.size):
            out[i] = a[i] - b[i]
    elif code == opcodes.MUL:
        for i in range(out.size):
            out[i] = a[i] * b[i]
    elif code == opcodes.DIV:
        for i in range(out.size):
            out[i] = a[i] / b[i] if b[i] != 0.0 else math.nan
    else:
        choice(code, a, b, c, out)


@kernel
def choice(code: int, a: Row, b: Row, c: Row, out: Row) -> None:
    """Magnitude, floor, extremes of two rows and selections."""
    for i in range(out.size):
        x, y = a[i], b[i]
        if code == opcodes.ABS:
            out[i] = abs(x)
        elif code == opcodes.FLOOR:
            out[i] = math.floor(x) if math.isfinite(x) else x
        elif code == opcodes.MIN:
            out[i] = math.nan if math.isnan(x) or math.isnan(y) else min(x, y)
        elif code == opcodes.MAX:
            out[i] = math.nan if math.isnan(x) or math.isnan(y) else max(x, y)
        elif code == opcodes.NZ:
            out[i] = y if math.isnan(x) else x
        else:
            out[i] = y if x != 0.0 else c[i]


@kernel
def comparison(code: int, a: Row, b: Row, out: Row) -> None:
    """Comparisons within the tolerance; false on NaN. `GT` and `LT`, by far the most frequent, have own loops."""
    if code == opcodes.GT:
        for i in range(out.size):
            out[i] = 1.0 if a[i] - b[i] > _TOLERANCE else 0.0
    elif code == opcodes.LT:
        for i in range(out.size):
            out[i] = 1.0 if a[i] - b[i] < -_TOLERANCE else 0.0
    else:
        for i in range(out.size):
            out[i] = _holds(code, a[i] - b[i])


@kernel
def _holds(code: int, difference: float) -> float:
    if code == opcodes.GE:
        return 1.0 if difference >= -_TOLERANCE else 0.0
    if code == opcodes.LE:
        return 1.0 if difference <= _TOLERANCE else 0.0
    if code == opcodes.EQ:
        return 1.0 if abs(difference) <= _TOLERANCE else 0.0
    return 1.0 if abs(difference) > _TOLERANCE else 0.0


@kernel
def logic(code: int, a: Row, b: Row, out: Row) -> None:
    """Logic of signal rows, and crosses of float rows."""
    if code == opcodes.AND:
        for i in range(out.size):
            out[i] = a[i] * b[i]
    elif code == opcodes.OR:
        for i in range(out.size):
            out[i] = max(a[i], b[i])
    elif code == opcodes.NOT:
        for i in range(out.size):
            out[i] = 1.0 - a[i]
    elif code == opcodes.CROSSOVER:
        _cross(a, b, out)
    else:
        _cross(b, a, out)


@kernel
def _cross(upper: Row, lower: Row, out: Row) -> None:
    size, head = out.size, 0
    while head < size and (math.isnan(upper[head]) or math.isnan(lower[head])):
        head += 1
    out[: min(head + 1, size)] = 0.0
    now, then, target = upper[head + 1 :], upper[head:], out[head + 1 :]
    low_now, low_then = lower[head + 1 :], lower[head:]
    undefined = 0
    for i in range(target.size):
        target[i] = 1.0 if (now[i] > low_now[i]) & (then[i] <= low_then[i]) else 0.0
        undefined |= not (now[i] <= low_now[i]) | (now[i] > low_now[i])
    if undefined:
        _cross_over_gaps(upper, lower, out)


@kernel
def _cross_over_gaps(upper: Row, lower: Row, out: Row) -> None:
    # `was_above` starts true, so the first bar on which both are defined never crosses.
    was_above = True
    for i in range(out.size):
        is_above = upper[i] > lower[i]
        out[i] = 1.0 if is_above and not was_above else 0.0
        if is_above or upper[i] <= lower[i]:
            was_above = is_above
