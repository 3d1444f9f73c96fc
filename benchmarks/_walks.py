"""Synthetic minutes of a calm market: a seeded walk in cents per symbol over every regular minute."""

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import sessions
from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import BarBatch


@dataclass(frozen=True)
class Walks:
    """A bar source of the walks of `[first, last)`; only what an ingest asks of one."""

    first: date
    last: date

    def fetch_bars(self, symbol: str, timeframe: Timeframe, start: date, end: date) -> BarBatch:
        """Return the bars of a window, the same whenever asked."""
        day = pl.col("ts").dt.convert_time_zone("America/New_York").dt.date()
        bars = self.walk(symbol).filter((day >= start) & (day < end))
        return BarBatch(symbol, timeframe, start, end, bars, "synthetic", 1, 1, 0, ())

    def walk(self, symbol: str) -> pl.DataFrame:
        """Return all minutes of a symbol `S<number>`, in `BAR_SCHEMA`."""
        return _walk(symbol, self.first, self.last)


@cache
def _stamps(first: date, last: date) -> pl.Series:
    minutes = sessions("NYSE", first, last).select(
        pl.datetime_ranges("open", "close", interval="1m", closed="left", time_zone="UTC").alias("ts")
    )
    return minutes.explode("ts")["ts"].cast(pl.Datetime("us", "UTC"))


@cache
def _walk(symbol: str, first: date, last: date) -> pl.DataFrame:
    random, stamps = np.random.default_rng(int(symbol[1:])), _stamps(first, last)
    count = stamps.len()
    close = np.round(100 * np.exp(np.cumsum(random.standard_normal(count) * 3e-4)), 2)
    opens = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(opens, close) + np.round(random.exponential(0.02, count), 2)
    low = np.minimum(opens, close) - np.round(random.exponential(0.02, count), 2)
    columns = {
        "ts": stamps,
        "open": opens,
        "high": high,
        "low": low,
        "close": close,
        "volume": np.round(5_000 * np.exp(random.standard_normal(count) * 0.4)),
        "vwap": (high + low) / 2,
        "trade_count": random.integers(1, 500, count),
    }
    return pl.DataFrame(columns).select(pl.col(name).cast(dtype) for name, dtype in BAR_SCHEMA.items())
