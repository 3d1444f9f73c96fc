"""Operations bar by bar: constants, history, arithmetic, comparison, logic."""

import math

import numpy as np

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
    """Arithmetic of rows. One loop per operation, without branches, so that most are vectorised."""
    if code <= opcodes.DIV:
        _basic(code, a, b, out)
    elif code <= opcodes.FLOOR:
        _rounded(code, a, out)
    elif code <= opcodes.WHERE:
        _choice(code, a, b, c, out)
    else:
        _function(code, a, b, out)


@kernel
def _basic(code: int, a: Row, b: Row, out: Row) -> None:
    if code == opcodes.ADD:
        for i in range(out.size):
            out[i] = a[i] + b[i]
    elif code == opcodes.SUB:
        for i in range(out.size):
            out[i] = a[i] - b[i]
    elif code == opcodes.MUL:
        for i in range(out.size):
            out[i] = a[i] * b[i]
    else:
        for i in range(out.size):
            out[i] = a[i] / b[i] if b[i] != 0.0 else math.nan


@kernel
def _rounded(code: int, a: Row, out: Row) -> None:
    if code == opcodes.ABS:
        for i in range(out.size):
            out[i] = abs(a[i])
    else:
        for i in range(out.size):
            out[i] = np.floor(a[i])


@kernel
def _choice(code: int, a: Row, b: Row, c: Row, out: Row) -> None:
    if code == opcodes.MIN:
        for i in range(out.size):
            out[i] = a[i] if (a[i] < b[i]) | math.isnan(a[i]) else b[i]
    elif code == opcodes.MAX:
        for i in range(out.size):
            out[i] = a[i] if (a[i] > b[i]) | math.isnan(a[i]) else b[i]
    elif code == opcodes.NZ:
        for i in range(out.size):
            out[i] = b[i] if math.isnan(a[i]) else a[i]
    else:
        for i in range(out.size):
            out[i] = b[i] if a[i] != 0.0 else c[i]


@kernel
def _function(code: int, a: Row, b: Row, out: Row) -> None:
    if code == opcodes.SQRT:
        for i in range(out.size):
            out[i] = math.sqrt(a[i])
    elif code == opcodes.SIGN:
        for i in range(out.size):
            positive, negative = 1.0 if a[i] > 0.0 else 0.0, 1.0 if a[i] < 0.0 else 0.0
            out[i] = math.nan if math.isnan(a[i]) else positive - negative
    elif code == opcodes.MOD:
        for i in range(out.size):
            out[i] = np.fmod(a[i], b[i])
    elif code == opcodes.POW:
        for i in range(out.size):
            out[i] = _power(a[i], b[i])
    else:
        for i in range(out.size):
            answer = math.exp(a[i]) if code == opcodes.EXP else math.log(a[i])
            out[i] = answer if abs(answer) < math.inf else math.nan


@kernel
def _power(base: float, exponent: float) -> float:
    if math.isnan(base) or math.isnan(exponent):
        return math.nan
    if exponent == 2.0:
        answer = base * base
    elif exponent == 0.5 and base >= 0.0:
        answer = math.sqrt(base)
    else:
        answer = math.pow(base, exponent)
    return answer if abs(answer) < math.inf else math.nan


@kernel
def comparison(code: int, a: Row, b: Row, out: Row) -> None:
    """Comparisons within the tolerance; false on NaN."""
    if code == opcodes.GT:
        for i in range(out.size):
            out[i] = 1.0 if a[i] - b[i] > _TOLERANCE else 0.0
    elif code == opcodes.LT:
        for i in range(out.size):
            out[i] = 1.0 if a[i] - b[i] < -_TOLERANCE else 0.0
    elif code == opcodes.GE:
        for i in range(out.size):
            out[i] = 1.0 if a[i] - b[i] >= -_TOLERANCE else 0.0
    elif code == opcodes.LE:
        for i in range(out.size):
            out[i] = 1.0 if a[i] - b[i] <= _TOLERANCE else 0.0
    else:
        _equality(code, a, b, out)


@kernel
def _equality(code: int, a: Row, b: Row, out: Row) -> None:
    if code == opcodes.EQ:
        for i in range(out.size):
            out[i] = 1.0 if abs(a[i] - b[i]) <= _TOLERANCE else 0.0
    elif code == opcodes.NE:
        for i in range(out.size):
            out[i] = 1.0 if abs(a[i] - b[i]) > _TOLERANCE else 0.0
    else:
        for i in range(out.size):
            out[i] = 0.0 if abs(a[i]) < math.inf else 1.0


@kernel
def logic(code: int, a: Row, b: Row, out: Row) -> None:
    """Logic of signal rows, and crosses of float rows."""
    if code == opcodes.AND:
        for i in range(out.size):
            out[i] = a[i] * b[i]
    elif code == opcodes.OR:
        for i in range(out.size):
            out[i] = max(b[i], a[i])
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
