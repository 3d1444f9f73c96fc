"""Trailing lines: stop-and-reverse levels that follow price, and the smoothed open of Heikin-Ashi bars."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.ranges import atr
from chandlery.indicators.series import FloatSeries, as_series
from chandlery.indicators.spec import BAR, Role, no_bars, numeric, one_bar


def sar(  # noqa: PLR0917 - the operands in order
    high: ArrayLike, low: ArrayLike, close: ArrayLike, start: float = 0.02, step: float = 0.02, top: float = 0.2
) -> FloatSeries:
    """Parabolic stop and reverse, in units of price; warm-up 1.

    Starts on bar 1: short from the high before if that is above this bar's, else long from the low before. The
    acceleration starts at `start` and grows by `step` up to `top` with each new extreme. The line reverses where
    price passes it, not where it touches, and never lies inside the two bars before. `close` is not used. Bars
    whose high or low is NaN answer NaN and are passed over. Source: Pine's `ta.sar`, after Wilder (1978).

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    as_series(close)
    return _parabola(as_series(high), as_series(low), (start, step, top))[0]


def sar_next(  # noqa: PLR0917 - the operands in order
    high: ArrayLike, low: ArrayLike, close: ArrayLike, start: float = 0.02, step: float = 0.02, top: float = 0.2
) -> FloatSeries:
    """Where `sar` will lie on the next bar before that is seen: the line moved towards its extreme; warm-up 1.

    The level of the stop order of TradingView's Parabolic SAR Strategy. Everything else as `sar`.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    as_series(close)
    return _parabola(as_series(high), as_series(low), (start, step, top))[1]


def _parabola(highs: FloatSeries, lows: FloatSeries, speed: tuple[float, float, float]) -> tuple[FloatSeries, ...]:
    out = np.full((2, highs.size), np.nan)
    bars = np.flatnonzero(~(np.isnan(highs) | np.isnan(lows)))
    if bars.size > 1:
        out[:, bars[1:]] = np.array(_sar(highs[bars].tolist(), lows[bars].tolist(), speed)).T
    return out[0], out[1]


def _sar(high: list[float], low: list[float], speed: tuple[float, float, float]) -> list[tuple[float, float]]:
    start, step, top = speed
    is_long = high[0] <= high[1]
    line, extreme = (low[0], high[1]) if is_long else (high[0], low[1])
    pace = start
    out = [(line, line + pace * (extreme - line))]
    for i in range(2, len(high)):
        line = line + pace * (extreme - line)
        if is_long and low[i] < line:
            is_long, pace = False, start
            line, extreme = max(extreme, high[i], high[i - 1], high[i - 2]), low[i]
        elif is_long:
            line = min(line, low[i - 1], low[i - 2])
            if high[i] > extreme:
                extreme, pace = high[i], min(pace + step, top)
        elif high[i] > line:
            is_long, pace = True, start
            line, extreme = min(extreme, low[i], low[i - 1], low[i - 2]), high[i]
        else:
            line = max(line, high[i - 1], high[i - 2])
            if low[i] < extreme:
                extreme, pace = low[i], min(pace + step, top)
        out.append((line, line + pace * (extreme - line)))
    return out


def supertrend(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, factor: float = 3.0, length: int = 10
) -> tuple[FloatSeries, FloatSeries]:
    """Supertrend: the line, in units of price, and its direction, -1 up and 1 down; warm-up `length - 1`.

    The bands lie `factor` average true ranges from the middle of the bar. The lower one only rises, unless the
    close before fell below it; the upper one mirrors it. The line is the upper band while down, the lower one
    while up. As in Pine, bar 0 answers a line of 0 and the direction is 1 until the range is defined. On a NaN the
    line is NaN, the direction and the state are kept. Source: Pine's `ta.supertrend`.

    Raises:
        InvalidInput: for a length below 1 or a two-dimensional input.
    """
    highs, lows, closes = as_series(high), as_series(low), as_series(close)
    middle, reach = (highs + lows) / 2.0, factor * atr(highs, lows, closes, length)
    line, direction = np.full(highs.size, np.nan), np.full(highs.size, 1.0)
    line[:1] = 0.0
    upper, lower, before, heading = math.nan, math.nan, math.nan, 1.0
    is_first = True
    for i in range(1, highs.size):
        top, bottom = float(middle[i] + reach[i]), float(middle[i] - reach[i])
        if math.isnan(top) or math.isnan(bottom):
            direction[i] = heading
            continue
        if is_first:
            upper, lower, is_first = top, bottom, False
        else:
            was_upper = heading == 1.0 or upper == lower
            lower = bottom if bottom > lower or before < lower else lower
            upper = top if top < upper or before > upper else upper
            if was_upper:
                heading = -1.0 if closes[i] > upper else 1.0
            elif closes[i] < lower:
                heading = 1.0
            else:
                heading = -1.0
        before = float(closes[i])
        line[i], direction[i] = upper if heading == 1.0 else lower, heading
    return line, direction


def supertrend_line(high: ArrayLike, low: ArrayLike, close: ArrayLike, factor: float, length: int) -> FloatSeries:
    """First answer of `supertrend`."""
    return supertrend(high, low, close, factor, length)[0]


def supertrend_direction(high: ArrayLike, low: ArrayLike, close: ArrayLike, factor: float, length: int) -> FloatSeries:
    """Second answer of `supertrend`: -1 up, 1 down."""
    return supertrend(high, low, close, factor, length)[1]


def heikin_ashi_open(opening: ArrayLike, close: ArrayLike, average: ArrayLike) -> FloatSeries:
    """Open of the Heikin-Ashi bar, from open, close and ohlc4 (`average`), in units of price; warm-up 0.

    Bar 0 answers the middle of open and close, every other bar the middle of the open before and the `average`
    before; where one of these is NaN it starts anew.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    opens, closes, averages = as_series(opening), as_series(close), as_series(average)
    out, value = np.full(opens.size, np.nan), math.nan
    for i in range(opens.size):
        if i > 0:
            value = (value + float(averages[i - 1])) / 2.0
        if math.isnan(value):
            value = (float(opens[i]) + float(closes[i])) / 2.0
        out[i] = value
    return out


def heikin_ashi(
    opening: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike
) -> tuple[FloatSeries, FloatSeries]:
    """Open and close of the Heikin-Ashi bar, in units of price; warm-up 0.

    The close is the mean of the four prices, the open as in `heikin_ashi_open`. The high is the highest of these
    two and the bar's high, the low their lowest with its low.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    average = (as_series(opening) + as_series(high) + as_series(low) + as_series(close)) / 4.0
    return heikin_ashi_open(opening, close, average), average


_SPEEDS = (*BAR, Role.NUMBER, Role.NUMBER, Role.NUMBER)
_FACTOR_AND_LENGTH = (*BAR, Role.NUMBER, Role.LENGTH)
_SUPERTREND = "ta.supertrend({3}, {4})"

SPECS = [
    replace(numeric("sar", _SPEEDS, sar, "ta.sar({3}, {4}, {5})", warmup=one_bar), outputs=2),
    replace(
        numeric("sar_next", _SPEEDS, sar_next, "sar_next({3}, {4}, {5})", warmup=one_bar),
        code="sar",
        output=1,
        outputs=2,
    ),
    replace(numeric("supertrend", _FACTOR_AND_LENGTH, supertrend_line, _SUPERTREND), outputs=2),
    replace(
        numeric("supertrend_direction", _FACTOR_AND_LENGTH, supertrend_direction, _SUPERTREND, warmup=no_bars),
        code="supertrend",
        output=1,
        outputs=2,
    ),
    numeric("heikin_ashi_open", BAR, heikin_ashi_open, "heikin_ashi_open({0}, {1}, {2})", warmup=no_bars),
]
"""The operations of this module."""
