"""What was usual before a bar: medians and deviations over its trailing window.

Computed at a few places only: a rolling median over a whole series costs more than all other work on it.
"""

import numpy as np
from numpy.typing import NDArray

from chandlery.quality.series._arrays import Floats, Places

WINDOW = 60
"""Bars before a bar that say what is usual."""
LEAST = 20
"""Fewer say nothing: the bar is not judged."""
MAD_TO_SIGMA = 1.4826
"""A normal variable's standard deviation over its median absolute deviation."""
_AT_ONCE = 20_000


def median_before(values: Floats, places: Places, window: int = WINDOW) -> Floats:
    """Return the median of up to `window` values before each place; NaN values are left out, NaN where none is left."""
    parts = [_row_median(_before(values, some, window)) for some in _in_parts(places)]
    return np.concatenate([np.empty(0), *parts])


def mad_sigma_before(prices: Floats, places: Places, window: int = WINDOW) -> Floats:
    """Return the robust deviation of the log returns of up to `window` bars before each place.

    Where more than half of them are zero (a stock that seldom trades), that of the others; NaN where all are.
    """
    parts = [np.empty(0)]
    for some in _in_parts(places):
        returns = _returns_before(prices, some, window)
        sigma = _mad_sigma(returns)
        still = sigma == 0
        if still.any():
            sizes = np.abs(returns[still])
            sigma[still] = MAD_TO_SIGMA * _row_median(np.where(sizes > 0, sizes, np.nan))
        parts.append(sigma)
    return np.concatenate(parts)


def pruned_sigma_before(prices: Floats, places: Places, *, unknown: float, window: int = WINDOW) -> Floats:
    """Return the standard deviation of the log returns before each place without their outliers.

    Outliers lie more than 1.5 interquartile ranges outside the quartiles. `unknown` stands where fewer than 20 are.
    """
    parts = [np.empty(0)]
    for some in _in_parts(places):
        returns = _returns_before(prices, some, window)
        known = np.isfinite(returns).sum(axis=1) >= LEAST
        sigma = np.full(len(some), unknown)
        if known.any():
            rows = returns[known]
            low, high = np.nanquantile(rows, [0.25, 0.75], axis=1)
            reach = 1.5 * (high - low)
            inside = (rows >= (low - reach)[:, None]) & (rows <= (high + reach)[:, None])
            pruned = np.nanstd(np.where(inside, rows, np.nan), axis=1, ddof=1)
            # Where three in four returns are zero every other one looks like an outlier.
            sigma[known] = np.where(pruned > 0, pruned, np.nanstd(rows, axis=1, ddof=1))
        parts.append(sigma)
    return np.concatenate(parts)


def _in_parts(places: Places) -> list[Places]:
    return [places[at : at + _AT_ONCE] for at in range(0, len(places), _AT_ONCE)]


def _before(values: Floats, places: Places, window: int) -> Floats:
    wanted: NDArray[np.intp] = places[:, None] + np.arange(-window, 0)
    return np.where(wanted >= 0, values[np.maximum(wanted, 0)], np.nan)


def _returns_before(prices: Floats, places: Places, window: int) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.diff(np.log(_before(prices, places, window + 1)), axis=1)
    return np.where(np.isfinite(returns), returns, np.nan)


def _mad_sigma(returns: Floats) -> Floats:
    middle = _row_median(returns)[:, None]
    sigma: Floats = MAD_TO_SIGMA * _row_median(np.abs(returns - middle))
    return sigma


def _row_median(rows: Floats) -> Floats:
    """Median of each row without its NaN; NaN of a row of them (numpy's own would warn)."""
    if not np.isnan(rows).any():
        whole: Floats = np.median(rows, axis=1)
        return whole
    ordered = np.sort(rows, axis=1)
    counts = np.isfinite(ordered).sum(axis=1)
    places = np.maximum(counts - 1, 0)
    at = np.arange(len(rows))
    middle: Floats = (ordered[at, places // 2] + ordered[at, (places + 1) // 2]) / 2
    return middle
