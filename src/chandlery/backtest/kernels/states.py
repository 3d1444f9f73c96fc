"""States: what the past of a row says now. One pass each, in the order of the bars."""

import math

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, kernel

_TOLERANCE = 1e-10


@kernel
def running(code: int, x: Row, reset: Row, out: Row) -> None:
    """Sum since the first bar (`CUM`), or since the last bar with `reset`; NaN adds nothing."""
    total = 0.0
    if code == opcodes.CUM:
        for i in range(out.size):
            total += 0.0 if math.isnan(x[i]) else x[i]
            out[i] = math.nan if math.isnan(x[i]) else total
    else:
        for i in range(out.size):
            total = (0.0 if reset[i] != 0.0 else total) + (0.0 if math.isnan(x[i]) else x[i])
            out[i] = total


@kernel
def last_defined(x: Row, out: Row) -> None:
    """The last value that was not NaN."""
    value = math.nan
    for i in range(out.size):
        value = value if math.isnan(x[i]) else x[i]
        out[i] = value


@kernel
def value_when(condition: Row, x: Row, occurrence: int, out: Row, queue: NDArray[np.int64]) -> None:
    """The value on the last bar with `condition`, or `occurrence` such bars before; `queue` holds these bars."""
    count = 0
    for i in range(out.size):
        if condition[i] != 0.0:
            queue[count] = i
            count += 1
        out[i] = x[queue[count - 1 - occurrence]] if count > occurrence else math.nan


@kernel
def bars_since(condition: Row, out: Row) -> None:
    """Bars since `condition` held; NaN before the first."""
    since = math.nan
    for i in range(out.size):
        since = 0.0 if condition[i] != 0.0 else since + 1.0
        out[i] = since


@kernel
def latch(on: Row, off: Row, out: Row) -> None:
    """1 from a bar with `on` until one with `off` and without `on`."""
    state = 0.0
    for i in range(out.size):
        state = max(on[i], state * (1.0 - off[i]))
        out[i] = state


@kernel
def streak(x: Row, length: int, out: Row, sign: float) -> None:
    """Whether the last `length` bars all rose (`sign` 1) or fell (-1) by more than the tolerance."""
    out[:1] = 0.0
    run = 0
    for i in range(1, out.size):
        run = run + 1 if sign * (x[i] - x[i - 1]) > _TOLERANCE else 0
        out[i] = 1.0 if run >= length else 0.0


@kernel
def cross(a: Row, b: Row, out: Row) -> None:
    """Whether `a` leaves, exactly, the side of `b` it was last on beyond the tolerance."""
    side = 0.0
    for i in range(out.size):
        apart = a[i] - b[i]
        out[i] = 1.0 if side * apart < 0.0 else 0.0
        if apart > _TOLERANCE:
            side = 1.0
        elif apart < -_TOLERANCE:
            side = -1.0
