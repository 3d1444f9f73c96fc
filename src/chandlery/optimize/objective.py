"""The objective: one number per candidate, larger is better."""

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import METRICS

OBJECTIVE = "bar_sharpe"
"""Mean over standard deviation (ddof 0) of the bar returns in standard mode, not annualised."""

MIN_TRADES = 3
"""A candidate with fewer closed trades is not ranked: its ratio says next to nothing."""


def scores(metrics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of every row of a metrics matrix.

    The score is `OBJECTIVE`; minus infinity, below everything, with fewer than `MIN_TRADES` closed trades or
    without variance.
    """
    values = metrics[:, METRICS.index(OBJECTIVE)]
    is_ranked = (metrics[:, METRICS.index("closed_trades")] >= MIN_TRADES) & np.isfinite(values)
    return np.where(is_ranked, values, -np.inf)


def best_of(score: NDArray[np.float64], numbers: NDArray[np.int64]) -> int:
    """Return the position of the highest score; among equals that of the lowest lattice number."""
    leading = np.flatnonzero(score == score.max())
    return int(leading[np.argmin(numbers[leading])])
