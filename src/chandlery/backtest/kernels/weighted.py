"""Averages with weights: linear, least squares, bell curve, adaptive.

Windows are split as `chandlery.indicators.split_windows` describes; orders of operations are those of the
references. Blocks are addressed by index: a slice per block costs more than a short block.
"""

import math

import numpy as np

from chandlery.backtest.jit import Row, kernel


@kernel
def wma(x: Row, length: int, out: Row) -> None:
    """Linearly weighted average of the last `length` values."""
    size, norm, whole = out.size, length * (length + 1) / 2, float(length)
    unused = np.empty(min(length, size))
    for start in range(0, size, length):
        _rest(x, start, length, unused, out)
        base, level, slope, place = x[start], 0.0, 0.0, 0.0
        for i in range(start, min(start + length, size)):
            value = x[i] - base
            level += value
            slope += place * value
            mean = base + (out[i] + (whole - place) * level + slope) / norm
            out[i] = mean if abs(mean) < math.inf else math.nan
            place += 1.0


@kernel
def linreg(x: Row, length: int, offset: float, out: Row) -> None:
    """Value of the least-squares line through the last `length` values, `offset` bars ago."""
    size, ramp, whole = out.size, length * (length + 1) / 2, float(length)
    spread = whole * whole * (whole * whole - 1.0) / 12 if length > 1 else math.inf
    ahead, plain = (length - 1) / 2 - offset, np.empty(min(length, size))
    for start in range(0, size, length):
        _rest(x, start, length, plain, out)
        base, level, slope, place = x[start], 0.0, 0.0, 0.0
        for i in range(start, min(start + length, size)):
            value = x[i] - base
            level += value
            slope += place * value
            total = plain[i - start] + level
            weighted = out[i] + (whole - place) * level + slope
            rise = (whole * weighted - ramp * total) / spread
            answer = base + (total / whole + rise * ahead)
            out[i] = answer if abs(answer) < math.inf else math.nan
            place += 1.0


@kernel
def _rest(x: Row, start: int, length: int, plain: Row, out: Row) -> None:
    # What the block before adds to the windows that end in the block from `start` on: a plain sum, and to `out` the
    # sum weighted 1, 2, ... from the oldest. Nothing for the last bar of the block; before bar 0 is no value.
    kept, last = min(length, out.size - start), length - 1
    if start == 0:
        for j in range(kept):
            plain[j], out[j] = math.nan, math.nan
    if kept > last:
        plain[last], out[start + last] = 0.0, 0.0
    if start == 0:
        return
    base, total, weighted = x[start], 0.0, 0.0
    for j in range(last, kept, -1):
        total += x[start - length + j] - base
        weighted += total
    for j in range(min(last, kept), 0, -1):
        total += x[start - length + j] - base
        weighted += total
        plain[j - 1], out[start + j - 1] = total, weighted


@kernel
def alma(x: Row, length: int, offset: float, sigma: float, out: Row) -> None:
    """Average weighted with a bell curve, oldest value first."""
    size = out.size
    out[: min(length - 1, size)] = math.nan
    if length > size:
        return
    weights = np.empty(length)
    top, spread, total = offset * (length - 1), length / sigma, 0.0
    for i in range(length):
        weights[i] = math.exp(-((i - top) * (i - top)) / (2.0 * (spread * spread)))
        total += weights[i]
    weights /= total
    answers = out[length - 1 :]
    answers[:] = 0.0
    whole = length - length % 4
    for k in range(0, whole, 4):
        first, second, third, fourth = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        a, b, c, d = x[k:], x[k + 1 :], x[k + 2 :], x[k + 3 :]
        for i in range(answers.size):
            answers[i] = (((answers[i] + a[i] * first) + b[i] * second) + c[i] * third) + d[i] * fourth
    for k in range(whole, length):
        weight, a = weights[k], x[k:]
        for i in range(answers.size):
            answers[i] += a[i] * weight
    for i in range(answers.size):
        if not math.isfinite(answers[i]):
            answers[i] = math.nan


@kernel
def kama(x: Row, length: int, fast: float, slow: float, out: Row) -> None:
    """Kaufman's adaptive average."""
    size, quick, calm, state = out.size, 2.0 / (fast + 1), 2.0 / (slow + 1), math.nan
    out[: min(length, size)] = math.nan
    for start in range(length, size, length):
        _paths(x, start, length, out)
        path = 0.0
        for i in range(start, min(start + length, size)):
            path += abs(x[i] - x[i - 1])
            whole, reach = out[i] + path, abs(x[i] - x[i - length])
            if not math.isfinite(whole):
                out[i] = math.nan
                continue
            root = (reach / whole if whole > reach else 1.0) * (quick - calm) + calm
            before = x[i - 1] if math.isnan(state) else state
            state = before + root * root * (x[i] - before)
            out[i] = state


@kernel
def _paths(x: Row, start: int, length: int, out: Row) -> None:
    # What the block before adds to the sum of moves that ends on bar `start + j`.
    last, path = start + length - 1, 0.0
    if last < out.size:
        out[last] = 0.0
    for i in range(last, start, -1):
        path += abs(x[i - length] - x[i - length - 1])
        if i <= out.size:
            out[i - 1] = path
