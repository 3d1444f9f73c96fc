"""Trailing lines, and the smoothed open of Heikin-Ashi bars."""

import math

from chandlery.backtest.jit import Row, kernel
from chandlery.backtest.kernels.windows import average_true_range

Speed = tuple[float, float, float]
"""Start, step and top of the acceleration."""

State = tuple[bool, float, float, float]
"""Whether the line is below price, its acceleration, the line, the extreme it runs after."""


@kernel
def sar(high: Row, low: Row, speed: Speed, out: Row, ahead: Row) -> None:
    """Parabolic stop and reverse, and its place on the next bar; bars with a NaN are passed over."""
    count, state = 0, (True, speed[0], 0.0, 0.0)
    high_1, low_1, high_2, low_2 = 0.0, 0.0, 0.0, 0.0
    for i in range(out.size):
        now, under = high[i], low[i]
        out[i], ahead[i] = math.nan, math.nan
        if math.isnan(now) or math.isnan(under):
            continue
        count += 1
        if count > 2:
            state = _advance(state, (now, under), (max(high_1, high_2), min(low_1, low_2)), speed)
        elif count == 2:
            state = (True, speed[0], low_1, now) if high_1 <= now else (False, speed[0], high_1, under)
        if count >= 2:
            out[i], ahead[i] = state[2], state[2] + state[1] * (state[3] - state[2])
        high_2, low_2, high_1, low_1 = high_1, low_1, now, under


@kernel
def _advance(state: State, bar: tuple[float, float], before: tuple[float, float], speed: Speed) -> State:
    is_long, pace, line, extreme = state
    high, low = bar
    highest, lowest = before
    start, step, top = speed
    line += pace * (extreme - line)
    if is_long:
        if low < line:
            return False, start, max(extreme, high, highest), low
        if high > extreme:
            return True, min(pace + step, top), min(line, lowest), high
        return True, pace, min(line, lowest), extreme
    if high > line:
        return True, start, min(extreme, low, lowest), high
    if low < extreme:
        return False, min(pace + step, top), max(line, highest), low
    return False, pace, max(line, highest), extreme


@kernel
def supertrend(prices: tuple[Row, Row, Row], factor: float, length: int, line: Row, direction: Row) -> None:
    """Supertrend line and direction; the range is averaged in place, in the row of the line."""
    high, low, close = prices
    average_true_range(high, low, close, length, line)
    line[:1], direction[:1] = 0.0, 1.0
    upper, lower, before, heading = math.nan, math.nan, math.nan, 1.0
    is_first = True
    for i in range(1, line.size):
        middle, reach = (high[i] + low[i]) / 2.0, factor * line[i]
        top, bottom = middle + reach, middle - reach
        if math.isnan(top):
            line[i], direction[i] = math.nan, heading
            continue
        if is_first:
            upper, lower, is_first = top, bottom, False
        else:
            was_upper = heading == 1.0 or upper == lower
            lower = bottom if bottom > lower or before < lower else lower
            upper = top if top < upper or before > upper else upper
            if was_upper:
                heading = -1.0 if close[i] > upper else 1.0
            elif close[i] < lower:
                heading = 1.0
            else:
                heading = -1.0
        before = close[i]
        line[i], direction[i] = upper if heading == 1.0 else lower, heading


@kernel
def heikin_ashi_open(opening: Row, close: Row, average: Row, out: Row) -> None:
    """Middle of the open and the average before; starts anew on NaN from the middle of open and close."""
    value = math.nan
    for i in range(out.size):
        if i > 0:
            value = (value + average[i - 1]) / 2.0
        if math.isnan(value):
            value = (opening[i] + close[i]) / 2.0
        out[i] = value
