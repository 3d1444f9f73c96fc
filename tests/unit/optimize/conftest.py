import numpy as np
import pytest

from chandlery.backtest import Panel


@pytest.fixture(scope="session")
def panel() -> Panel:
    """Return 800 bars of a seeded walk."""
    rng = np.random.default_rng(9)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.012, 800)))
    opening = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0.0, 0.003, 800))
    bars = [opening, np.maximum(opening, close) * 1.002, np.minimum(opening, close) / 1.002, close, np.ones(800)]
    return Panel("WALK", "1d", np.arange(800, dtype=np.int64) * 86_400_000_000, np.stack(bars))
