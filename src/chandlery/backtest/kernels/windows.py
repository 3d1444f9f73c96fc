"""Extremes of a window, pivots, changes, true range."""

import math

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, kernel
from chandlery.backtest.kernels.averages import recursive

Queue = NDArray[np.int64]


@kernel
def extreme(x: Row, length: int, out: Row, queue: Queue, sign: float) -> None:
    """Highest (`sign` 1) or lowest (-1) of a window.

    Between NaN at the head and the last bar each pass doubles the width the rows stand for: a few vectorised
    passes instead of a queue, whose branches nobody can foresee. `queue` lends its memory. A NaN further in takes
    the slow way.
    """
    size, head, undefined = x.size, 0, 0
    while head < size and math.isnan(x[head]):
        head += 1
    for i in range(head, size):
        undefined |= math.isnan(x[i])
    if undefined:
        _extreme_over_gaps(x, length, out, queue, sign)
        return
    out[: min(max(head, length - 1), size)] = math.nan
    so_far = -math.inf
    for i in range(head, min(head + length - 1, size)):
        so_far = max(so_far, sign * x[i])
        if i >= length - 1:
            out[i] = sign * so_far
    if size - head >= length:
        _widen(x[head:], length, out[head:], queue[: size - head].view(np.float64), sign)


@kernel
def _widen(x: Row, length: int, out: Row, spare: Row, sign: float) -> None:
    # `out` is filled from bar `length - 1`; what lies before it there belongs to the caller, so the narrow rows
    # live in `spare`, each bar i of which stands for the `width` bars that START at i.
    width = 1
    if sign > 0.0:
        spare[:] = x
        while 2 * width <= length:
            later = spare[width:]
            for i in range(later.size):
                spare[i] = max(later[i], spare[i])
            width *= 2
        first, last, target = spare, spare[length - width :], out[length - 1 :]
        for i in range(target.size):
            target[i] = max(last[i], first[i])
    else:
        spare[:] = x
        while 2 * width <= length:
            later = spare[width:]
            for i in range(later.size):
                spare[i] = min(later[i], spare[i])
            width *= 2
        first, last, target = spare, spare[length - width :], out[length - 1 :]
        for i in range(target.size):
            target[i] = min(last[i], first[i])


@kernel
def _extreme_over_gaps(x: Row, length: int, out: Row, queue: Queue, sign: float) -> None:
    extreme_offset(x, length, out, queue, sign)
    for i in range(out.size):
        out[i] = x[i + int(out[i])] if not math.isnan(out[i]) else math.nan


@kernel
def extreme_offset(x: Row, length: int, out: Row, queue: Queue, sign: float) -> None:
    """Offset of the highest (`sign` 1) or lowest (-1), of equals the oldest: `queue` holds what can still be it.

    NaN empties the queue, so the bars after it look back to it and no further.
    """
    head, tail = 0, 0
    for i in range(x.size):
        value = sign * x[i]
        answer = 0.0
        if math.isnan(value):
            head, tail = 0, 0
        else:
            while tail > head and sign * x[queue[tail - 1]] < value:
                tail -= 1
            queue[tail] = i
            tail += 1
            if queue[head] <= i - length:
                head += 1
            answer = float(queue[head] - i)
        out[i] = answer if i >= length - 1 else math.nan


@kernel
def pivot(x: Row, left: int, right: int, out: Row, sign: float) -> None:
    """Highs (`sign` 1) or lows (-1), told `right` bars later: above what follows, not below what comes before."""
    out[: min(left + right, out.size)] = math.nan
    for i in range(left + right, out.size):
        centre = i - right
        value = sign * x[centre]
        is_pivot = True
        for k in range(centre + 1, i + 1):
            if not value > sign * x[k]:
                is_pivot = False
                break
        if is_pivot:
            for k in range(centre - 1, centre - left - 1, -1):
                if not sign * x[k] <= value:
                    is_pivot = math.isnan(x[k])
                    break
        out[i] = x[centre] if is_pivot else math.nan


@kernel
def change(x: Row, length: int, out: Row) -> None:
    """Difference to `length` bars ago."""
    bars = min(length, out.size)
    out[:bars] = math.nan
    later, earlier, target = x[bars:], x[: out.size - bars], out[bars:]
    for i in range(target.size):
        target[i] = later[i] - earlier[i]


@kernel
def true_range(code: int, high: Row, low: Row, close: Row, out: Row) -> None:
    """True range; `FILLED_TR` answers the plain range where there is no previous close, `TR` NaN."""
    is_filled = code == opcodes.FILLED_TR
    if out.size > 0:
        out[0] = high[0] - low[0] if is_filled else math.nan
    target, highs, lows = out[1:], high[1:], low[1:]
    for i in range(target.size):
        spread, before = highs[i] - lows[i], close[i]
        up, down = abs(highs[i] - before), abs(lows[i] - before)
        reach = max(down, up)
        full = max(spread, reach)
        target[i] = (spread if is_filled else math.nan) if math.isnan(before) else full


@kernel
def average_true_range(high: Row, low: Row, close: Row, length: int, out: Row) -> None:
    """Wilder's average of the filled true range, in place."""
    true_range(opcodes.FILLED_TR, high, low, close, out)
    recursive(opcodes.RMA, out, length, out)
