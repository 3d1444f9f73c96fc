"""Dispersion: variance, mean deviation, rank and correlation over a window.

Windows are split as `chandlery.indicators.split_windows` describes; orders of operations are those of the
references.
"""

import math

import numpy as np

from chandlery.backtest.jit import Row, Rows, kernel
from chandlery.backtest.kernels.averages import prefix, window_total

_TOLERANCE = 1e-10
_CHUNK = 512
"""Bars that passes over many ages work on at a time: what they touch stays in the first-level cache."""


@kernel
def variance(x: Row, length: int, out: Row) -> None:
    """Variance of the last `length` values, divided by `length`."""
    size = out.size
    plain = np.empty(size)
    for start in range(0, size, length):
        _squares(x, start, length, plain, out)
        base, total, square = x[start], 0.0, 0.0
        for i in range(start, min(start + length, size)):
            value = x[i] - base
            total += value
            square += value * value
            plain[i] += total
            out[i] += square
    for i in range(size):
        spread = (out[i] - plain[i] * plain[i] / length) / length
        out[i] = 0.0 if spread <= 0.0 else spread  # noqa: FURB136 - `max` may drop a NaN


@kernel
def stdev(x: Row, length: int, out: Row) -> None:
    """Root of the variance."""
    variance(x, length, out)
    for i in range(out.size):
        out[i] = math.sqrt(out[i])


@kernel
def _squares(x: Row, start: int, length: int, plain: Row, out: Row) -> None:
    # What the block before adds to the sums (`plain`) and squares (`out`) of the windows that end in the block from
    # `start` on: nothing for the last bar of the block. Before bar 0 is no value.
    kept, last = min(length, out.size - start), length - 1
    if start == 0:
        for i in range(kept):
            plain[i], out[i] = math.nan, math.nan
    if kept > last:
        plain[start + last], out[start + last] = 0.0, 0.0
    if start == 0:
        return
    base, total, square = x[start], 0.0, 0.0
    for j in range(last, kept, -1):
        value = x[start - length + j] - base
        total += value
        square += value * value
    for j in range(min(last, kept), 0, -1):
        value = x[start - length + j] - base
        total += value
        square += value * value
        plain[start + j - 1], out[start + j - 1] = total, square


@kernel
def correlation(x: Row, y: Row, length: int, out: Row) -> None:
    """Pearson correlation of the last `length` values."""
    size = out.size
    parts = np.empty((5, size))
    for start in range(0, size, length):
        _products(x, y, start, length, parts)
        base, level = x[start], y[start]
        sum_x, sum_y, both, square_x, square_y = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(start, min(start + length, size)):
            first, second = x[i] - base, y[i] - level
            sum_x += first
            sum_y += second
            both += first * second
            square_x += first * first
            square_y += second * second
            parts[0, i] += sum_x
            parts[1, i] += sum_y
            parts[2, i] += both
            parts[3, i] += square_x
            parts[4, i] += square_y
    _ratios((parts[0], parts[1], parts[2], parts[3], parts[4]), length, out)


@kernel
def _ratios(parts: tuple[Row, Row, Row, Row, Row], length: int, out: Row) -> None:
    sum_x, sum_y, both, square_x, square_y = parts
    for i in range(out.size):
        joint = (both[i] - sum_x[i] * sum_y[i] / length) / length
        spread_x = (square_x[i] - sum_x[i] * sum_x[i] / length) / length
        spread_y = (square_y[i] - sum_y[i] * sum_y[i] / length) / length
        product = max(spread_x, 0.0) * max(spread_y, 0.0)
        ratio = joint / math.sqrt(product) if product > 0.0 else math.nan
        out[i] = 0.0 if abs(joint) <= _TOLERANCE else ratio


@kernel
def _products(x: Row, y: Row, start: int, length: int, parts: Rows) -> None:
    # As `_squares`: sums, products and squares of what the block before adds.
    kept, last = min(length, x.size - start), length - 1
    if start == 0:
        parts[:, :kept] = math.nan
    if kept > last:
        parts[:, start + last] = 0.0
    if start == 0:
        return
    base, level = x[start], y[start]
    sum_x, sum_y, both, square_x, square_y = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(last, 0, -1):
        first, second = x[start - length + j] - base, y[start - length + j] - level
        sum_x += first
        sum_y += second
        both += first * second
        square_x += first * first
        square_y += second * second
        if j <= kept:
            i = start + j - 1
            parts[0, i], parts[1, i], parts[2, i], parts[3, i], parts[4, i] = sum_x, sum_y, both, square_x, square_y


@kernel
def dev(x: Row, length: int, out: Row) -> None:
    """Mean absolute deviation of the last `length` values from their mean, newest value first."""
    size = out.size
    sums, mean = np.empty((3, size)), np.empty(size)
    prefix(x, sums[0], sums[1], sums[2])
    window_total((sums[0], sums[1], sums[2]), length, float(length), mean)
    out[: min(length - 1, size)] = math.nan
    for start in range(length - 1, size, _CHUNK):
        stop = min(start + _CHUNK, size)
        answers, level = out[start:stop], mean[start:stop]
        answers[:] = 0.0
        age = 0
        while age + 3 < length:
            a, b = x[start - age : stop - age], x[start - age - 1 : stop - age - 1]
            c, d = x[start - age - 2 : stop - age - 2], x[start - age - 3 : stop - age - 3]
            for i in range(answers.size):
                near = (answers[i] + abs(a[i] - level[i])) + abs(b[i] - level[i])
                answers[i] = (near + abs(c[i] - level[i])) + abs(d[i] - level[i])
            age += 4
        while age < length:
            a = x[start - age : stop - age]
            for i in range(answers.size):
                answers[i] += abs(a[i] - level[i])
            age += 1
        for i in range(answers.size):
            # An infinite value counts as undefined.
            answers[i] = answers[i] / length if math.isfinite(answers[i]) else math.nan


@kernel
def percentrank(x: Row, length: int, out: Row) -> None:
    """Percentage of the `length` values before this one that are not above it."""
    size = out.size
    out[: min(length, size)] = math.nan
    for start in range(length, size, _CHUNK):
        stop = min(start + _CHUNK, size)
        answers, now = out[start:stop], x[start:stop]
        answers[:] = 0.0
        age = 1
        while age + 3 <= length:
            a, b = x[start - age : stop - age], x[start - age - 1 : stop - age - 1]
            c, d = x[start - age - 2 : stop - age - 2], x[start - age - 3 : stop - age - 3]
            for i in range(answers.size):
                near = _at_most(a[i], now[i]) + _at_most(b[i], now[i])
                answers[i] += near + (_at_most(c[i], now[i]) + _at_most(d[i], now[i]))
            age += 4
        while age <= length:
            a = x[start - age : stop - age]
            for i in range(answers.size):
                answers[i] += _at_most(a[i], now[i])
            age += 1
        for i in range(answers.size):
            answers[i] = 100.0 * answers[i] / length if math.isfinite(now[i]) else math.nan


@kernel
def _at_most(value: float, limit: float) -> float:
    return 1.0 if value - limit <= _TOLERANCE else 0.0
