"""Moving averages and the relative strength index."""

import math

from chandlery.backtest import opcodes
from chandlery.backtest.jit import Row, kernel

_TOLERANCE = 1e-10


@kernel
def prefix(x: Row, total: Row, error: Row, run: Row) -> None:
    """Running sum, its accumulated rounding error (two-sum), and the number of defined values up to the bar."""
    high, low, count = 0.0, 0.0, 0.0
    for i in range(x.size):
        value = x[i]
        if math.isfinite(value):
            count += 1.0
        else:
            value, count = 0.0, 0.0
        before = high
        high = before + value
        part = high - before
        low += (before - (high - part)) + (value - part)
        total[i], error[i], run[i] = high, low, count


@kernel
def window_mean(total: Row, error: Row, run: Row, length: int, out: Row) -> None:
    """Mean of the last `length` values from a `prefix`."""
    size = out.size
    out[: min(length - 1, size)] = math.nan
    if length > size:
        return
    last = length - 1
    out[last] = (total[last] + error[last]) / length if run[last] >= length else math.nan
    # From `clean` on no window holds an undefined value; before it every bar is looked at.
    clean = min(max(size - int(run[size - 1]), 0) + length, size)
    for i in range(length, clean):
        window = (total[i] - total[i - length]) + (error[i] - error[i - length])
        out[i] = window / length if run[i] >= length else math.nan
    first = clean - length
    _clean_means((total[clean:], total[first:]), (error[clean:], error[first:]), float(length), out[clean:])


@kernel
def _clean_means(sums: tuple[Row, Row], errors: tuple[Row, Row], length: float, out: Row) -> None:
    # Shifted slices instead of `i - length`: an index that might be negative keeps a loop from being vectorised.
    upper, lower = sums
    upper_error, lower_error = errors
    for i in range(out.size):
        out[i] = ((upper[i] - lower[i]) + (upper_error[i] - lower_error[i])) / length


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
