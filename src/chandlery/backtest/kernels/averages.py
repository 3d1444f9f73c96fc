"""Moving averages and the relative strength index."""

import math

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, kernel

_TOLERANCE = 1e-10


@kernel
def prefix(x: Row, total: Row, error: Row, count: Row) -> None:
    """Running sum, its accumulated rounding error (two-sum), and the number of defined values so far."""
    high, low, defined = 0.0, 0.0, 0.0
    for i in range(x.size):
        value = x[i]
        if math.isfinite(value):
            defined += 1.0
        else:
            value = 0.0
        before = high
        high = before + value
        part = high - before
        low += (before - (high - part)) + (value - part)
        total[i], error[i], count[i] = high, low, defined


@kernel
def window_total(sums: tuple[Row, Row, Row], length: int, divisor: float, out: Row) -> None:
    """Sum of the last `length` defined values from a `prefix`, divided: by the length for a mean, by 1 for the sum."""
    total, error, count = sums
    size, head = out.size, 0
    while head < size and count[head] == 0.0:
        head += 1
    if count[size - 1] != size - head:
        _compacted_totals(sums, length, divisor, out)
        return
    first = head + length - 1
    out[: min(first, size)] = math.nan
    if first >= size:
        return
    out[first] = (total[first] + error[first]) / divisor
    _clean_totals((total[first + 1 :], total[head:]), (error[first + 1 :], error[head:]), divisor, out[first + 1 :])


@kernel
def _compacted_totals(sums: tuple[Row, Row, Row], length: int, divisor: float, out: Row) -> None:
    # With holes the window begins at the bar that had `length` defined values fewer; it only ever moves on.
    total, error, count = sums
    behind, before = 0, 0.0
    for i in range(out.size):
        needed = count[i] - length
        if count[i] == before or needed < 0.0:
            out[i] = math.nan
        elif needed == 0.0:
            out[i] = (total[i] + error[i]) / divisor
        else:
            while count[behind] < needed:
                behind += 1
            out[i] = ((total[i] - total[behind]) + (error[i] - error[behind])) / divisor
        before = count[i]


@kernel
def _clean_totals(sums: tuple[Row, Row], errors: tuple[Row, Row], divisor: float, out: Row) -> None:
    # Shifted slices instead of `i - length`: an index that might be negative keeps a loop from being vectorised.
    upper, lower = sums
    upper_error, lower_error = errors
    for i in range(out.size):
        out[i] = ((upper[i] - lower[i]) + (upper_error[i] - lower_error[i])) / divisor


@kernel
def recursive(code: int, x: Row, length: int, out: Row) -> None:
    """Exponential (`EMA`) or Wilder's (`RMA`) average, seeded with a mean."""
    weight = 2.0 / (length + 1)
    total, error, state, count = 0.0, 0.0, 0.0, 0
    for i in range(x.size):
        value = x[i]
        out[i] = math.nan
        if not math.isfinite(value):
            continue
        count += 1
        if count <= length:
            before = total
            total = before + value
            part = total - before
            error += (before - (total - part)) + (value - part)
            state = (total + error) / length
        elif code == opcodes.EMA:
            state = state + weight * (value - state)
        else:
            state = (state * (length - 1) + value) / length
        if count >= length:
            out[i] = state


@kernel
def rsi(x: Row, length: int, out: Row) -> None:
    """Relative strength index from two Wilder averages that advance together."""
    gain, loss, gain_error, loss_error = 0.0, 0.0, 0.0, 0.0
    count = 0
    out[0] = math.nan
    for i in range(1, x.size):
        move = x[i] - x[i - 1]
        if not math.isfinite(move):
            out[i] = math.nan
            continue
        count += 1
        up, down = max(move, 0.0), max(-move, 0.0)
        if count > length:
            gain = (gain * (length - 1) + up) / length
            loss = (loss * (length - 1) + down) / length
        else:
            before = gain
            gain = before + up
            part = gain - before
            gain_error += (before - (gain - part)) + (up - part)
            before = loss
            loss = before + down
            part = loss - before
            loss_error += (before - (loss - part)) + (down - part)
            if count == length:
                gain, loss = (gain + gain_error) / length, (loss + loss_error) / length
        out[i] = _index(gain, loss) if count >= length else math.nan


@kernel
def _index(gain: float, loss: float) -> float:
    if loss <= _TOLERANCE:
        return 100.0
    if gain <= _TOLERANCE:
        return 0.0
    return 100.0 - 100.0 / (1.0 + gain / loss)
