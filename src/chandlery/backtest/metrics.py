"""Kernel metrics: what the search knows of every candidate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

METRICS = (
    "equity",
    "closed_trades",
    "wins",
    "gross_profit",
    "gross_loss",
    "max_dd",
    "bar_sharpe",
    "exposure_bars",
)
"""Columns of a metrics matrix."""

BLOCKS = 64
"""Blocks of bars whose return moments are kept; bar `i` of `n` belongs to block `i * 64 // n`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelMetrics:
    """Outcome of one candidate in standard mode.

    `equity` is the final multiple of the starting cash; `wins` counts closed trades with a profit after fees;
    gross profit and loss are sums over closed trades in units of the starting cash, both at least 0; `max_dd` is
    the largest fraction lost from a peak, which starts at 1.0; `bar_sharpe` is mean over standard deviation
    (ddof 0) of the bar returns, not annualised, NaN without variance; `exposure_bars` counts closes in position.
    """

    equity: float
    closed_trades: int
    wins: int
    gross_profit: float
    gross_loss: float
    max_dd: float
    bar_sharpe: float
    exposure_bars: int

    @classmethod
    def from_row(cls, row: NDArray[np.float64]) -> "KernelMetrics":
        """Return the metrics of one row of a metrics matrix."""
        numbers = dict(zip(METRICS, row.tolist(), strict=True))
        counts = {name: int(numbers[name]) for name in ("closed_trades", "wins", "exposure_bars")}
        return cls(**(numbers | counts))

    def to_row(self) -> NDArray[np.float64]:
        """Return the metrics in the order of `METRICS`."""
        return np.array([float(getattr(self, name)) for name in METRICS])
