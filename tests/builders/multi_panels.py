"""Panels of several symbols: seeded walks with every kind of gap, and the shared day tapes."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import ArrayLike

from chandlery.backtest import MultiPanel, Panel

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes" / "us_daily"
DAY = 86_400_000_000


def plain_panel(opens: ArrayLike, closes: ArrayLike) -> MultiPanel:
    """Return a panel `[symbols, bars]` from opens and closes, daily; NaN in both is no bar."""
    opening, close = np.array(opens, dtype=float), np.array(closes, dtype=float)
    volume = np.where(np.isnan(close), np.nan, 1e6)
    bars = np.stack([opening, np.maximum(opening, close), np.minimum(opening, close), close, volume], axis=1)
    names = tuple(chr(ord("A") + place) for place in range(close.shape[0]))
    return MultiPanel(names, "1d", np.arange(close.shape[1], dtype=np.int64) * DAY, bars)


def walk_panel(seed: int, *, symbols: int = 5, bars: int = 1_500, is_gapless: bool = False) -> MultiPanel:
    """Return walks with a common part that revert to it; with gaps, a late start, a halt and an end."""
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0.0002, 0.01, bars))
    own = np.zeros((symbols, bars))
    for i in range(1, bars):
        own[:, i] = 0.97 * own[:, i - 1] + rng.normal(0.0, 0.01, symbols)
    close = 100.0 * np.exp(common + own)
    opening = np.concatenate([close[:, :1], close[:, :-1]], axis=1) * np.exp(rng.normal(0.0, 0.003, close.shape))
    if not is_gapless:
        missing = rng.random(close.shape) < 0.02
        missing[0] = False
        missing[1, 700:730] = True
        missing[2:3, :200] = True
        missing[3:4, 1_200:] = True
        close[missing], opening[missing] = np.nan, np.nan
    return plain_panel(opening, close)


def tape_panel(*names: str) -> MultiPanel:
    """Return shared day tapes, adjusted, 1998-2013; skips the test where they are not."""
    panels = []
    for name in names:
        path = TAPES / f"{name}.parquet"
        if not path.exists():
            pytest.skip("the shared day tapes are not beside this checkout")
        frame = pl.read_parquet(path).filter(pl.col("session").dt.year().is_between(1998, 2013))
        fields = ("open", "high", "low", "close", "volume")
        bars = np.stack([frame[f"adj_{field}"].cast(pl.Float64).to_numpy() for field in fields])
        stamps = frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy()
        panels.append(Panel(name, "1d", stamps, bars))
    return MultiPanel.from_panels(panels)
