from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike

from chandlery.backtest import Panel

MakePanel = Callable[..., Panel]


@pytest.fixture(scope="session")
def make_panel() -> MakePanel:
    """Return a maker of panels from opens and closes; highs and lows enclose both."""

    def make(opens: ArrayLike, closes: ArrayLike) -> Panel:
        opening, close = np.array(opens, dtype=float), np.array(closes, dtype=float)
        high, low = np.maximum(opening, close), np.minimum(opening, close)
        stamps = np.arange(close.size, dtype=np.int64) * 86_400_000_000
        return Panel("TEST", "1d", stamps, np.stack([opening, high, low, close, np.full(close.size, 1e6)]))

    return make


@pytest.fixture(scope="session")
def walk_panel(make_panel: MakePanel) -> Panel:
    """Return 900 bars of a seeded random walk with overnight gaps and a flat stretch."""
    rng = np.random.default_rng(21)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.012, 900)))
    close[400:440] = close[400]
    return make_panel(np.roll(close, 1) * np.exp(rng.normal(0.0, 0.004, 900)), close)
