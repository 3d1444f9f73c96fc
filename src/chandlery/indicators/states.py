"""States: what the past of a series or a condition says now."""

import math
from collections import deque

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.indicators.series import BoolSeries, FloatSeries, as_series
from chandlery.indicators.spec import CONDITIONS, Role, no_bars, numeric, signal


def fixnan(values: ArrayLike) -> FloatSeries:
    """The last value that was not NaN; NaN before the first. Source: Pine's `fixnan`.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    series = as_series(values)
    last = np.maximum.accumulate(np.where(np.isnan(series), -1, np.arange(series.size)))
    return np.where(last >= 0, series[last], np.nan) if series.size else series


def valuewhen(condition: ArrayLike, values: ArrayLike, occurrence: int = 0) -> FloatSeries:
    """The value on the last bar on which the condition held, or `occurrence` such bars before it.

    NaN until there were so many. A NaN on a bar on which the condition holds counts and is answered; on the other
    bars it changes nothing. Source: Pine's `ta.valuewhen`.

    Raises:
        InvalidInput: for a negative occurrence or a two-dimensional input.
    """
    if occurrence < 0:
        raise InvalidInput(f"Occurrence was {occurrence}; it counts back from 0.")
    series = as_series(values)
    held = np.broadcast_to(np.asarray(condition, dtype=np.bool_), series.shape)
    kept: deque[float] = deque(maxlen=occurrence + 1)
    out = np.full(series.size, np.nan)
    for i in range(series.size):
        if held[i]:
            kept.append(float(series[i]))
        if len(kept) > occurrence:
            out[i] = kept[0]
    return out


def barssince(condition: ArrayLike) -> FloatSeries:
    """Bars since the condition held: 0 on such a bar, NaN before the first. Source: Pine's `ta.barssince`."""
    out, since = [], math.nan
    for held in np.asarray(condition, dtype=np.bool_).tolist():
        since = 0.0 if held else since + 1.0
        out.append(since)
    return np.array(out, dtype=np.float64)


def latch(on: ArrayLike, off: ArrayLike) -> BoolSeries:
    """True on a bar on which `on` holds, else false where `off` holds, else as on the bar before; false at first.

    In Pine: `var s = false`, then `s := on ? true : off ? false : s`.
    """
    starts, ends = np.broadcast_arrays(np.asarray(on, dtype=np.bool_), np.asarray(off, dtype=np.bool_))
    out, state = [], False
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        state = start or (state and not end)
        out.append(state)
    return np.array(out, dtype=np.bool_)


SPECS = [
    numeric("fixnan", (Role.SERIES,), fixnan, "fixnan({0})", warmup=no_bars),
    numeric(
        "valuewhen",
        (Role.CONDITION, Role.SERIES, Role.COUNT),
        valuewhen,
        "ta.valuewhen({0}, {1}, {2})",
        warmup=no_bars,
    ),
    numeric("barssince", (Role.CONDITION,), barssince, "ta.barssince({0})", warmup=no_bars),
    signal("latch", CONDITIONS, latch, "latch({0}, {1})"),
]
"""The operations of this module."""
