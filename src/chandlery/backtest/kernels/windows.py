"""Extremes of a window, changes, true range."""

import math

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, kernel
from chandlery.backtest.kernels.averages import recursive


@kernel
def extreme(x: Row, length: int, out: Row, queue: NDArray[np.int64], sign: float) -> None:
    """Highest (`sign` 1) or lowest (-1) of a window: `queue` holds the bars that can still become the answer."""
    head, tail, gap = 0, 0, -1
    for i in range(x.size):
        value = sign * x[i]
        if math.isnan(value):
            head, tail, gap = 0, 0, i
            out[i] = math.nan
            continue
        while tail > head and sign * x[queue[tail - 1]] <= value:
            tail -= 1
        queue[tail] = i
        tail += 1
        if queue[head] <= i - length:
            head += 1
        out[i] = x[queue[head]] if i - gap >= length else math.nan


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
    for i in range(out.size):
        spread = high[i] - low[i]
        before = close[i - 1] if i > 0 else math.nan
        if math.isnan(before):
            out[i] = spread if code == opcodes.FILLED_TR else math.nan
        else:
            out[i] = max(spread, abs(high[i] - before), abs(low[i] - before))


@kernel
def average_true_range(high: Row, low: Row, close: Row, length: int, out: Row) -> None:
    """Wilder's average of the filled true range."""
    spread = np.empty(out.size)
    true_range(opcodes.FILLED_TR, high, low, close, spread)
    recursive(opcodes.RMA, spread, length, out)
