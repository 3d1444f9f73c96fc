"""Panels of real bars, cut from the shared tapes: daily, hourly and minute."""

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from chandlery.backtest.panel import Panel

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
"""The folder of the tapes, beside the repository."""

_FIELDS = ("open", "high", "low", "close", "volume")


@cache
def daily(symbol: str, start: int, bars: int) -> Panel:
    """Return `bars` sessions from number `start`, adjusted, prices in whole cents."""
    frame = pl.read_parquet(TAPES / "us_daily" / f"{symbol}.parquet").slice(start, bars)
    values = np.stack([frame[f"adj_{name}"].to_numpy() for name in _FIELDS])
    stamps = frame["session"].cast(pl.Datetime("us")).to_physical().to_numpy()
    return _panel(symbol, "1d", stamps, values, "UTC")


@cache
def hourly(start: int, bars: int) -> Panel:
    """Return `bars` hours of BTCUSD from number `start`, made from its minutes."""
    minutes = pl.read_parquet(next((TAPES / "crypto_minute").glob("X_BTCUSD*.parquet")))
    hours = (
        minutes.sort("t")
        .unique("t", keep="first", maintain_order=True)
        .group_by((pl.col("t") // 3_600_000 * 3_600_000).alias("hour"), maintain_order=True)
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
        .slice(start, bars)
    )
    values = np.stack([hours[name].to_numpy() for name in _FIELDS])
    return _panel("BTCUSD", "1h", hours["hour"].to_numpy() * 1000, values, "UTC")


@cache
def minutes(symbol: str, start: int, bars: int) -> Panel:
    """Return `bars` minutes of a stock from number `start`."""
    frame = pl.read_parquet(TAPES / "us_minute" / f"{symbol}.parquet").slice(start, bars)
    values = np.stack([frame[name].to_numpy() for name in _FIELDS])
    return _panel(symbol, "1m", frame["t"].to_numpy() * 1000, values, "America/New_York")


def _panel(symbol: str, timeframe: str, stamps: np.ndarray, values: np.ndarray, timezone: str) -> Panel:
    values = values.copy()
    values[:4] = np.floor(values[:4] * 100 + 0.5) / 100
    # Rounding to cents may leave a high below its body by nothing but the last digit of the adjustment.
    values[1], values[2] = values[[0, 1, 3]].max(axis=0), values[[0, 2, 3]].min(axis=0)
    return Panel(symbol, timeframe, stamps, values, timezone)
