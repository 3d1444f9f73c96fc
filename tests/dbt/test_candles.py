"""Candles of every symbol and timeframe equal an independent roll-up.

Prices, counts and sums of whole shares bit for bit; sums of fractions to 1e-12, because sums of sums round differently.
"""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

TIMEFRAMES = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": None, "1w": None}
SYMBOLS = ("AAPL", "MSFT", "SPY", "I:SPX", "X:BTCUSD", "CLOCK")
HALF_DAYS = [date(2012, 12, 24)]
COLUMNS = ("ts", "open", "high", "low", "close", "volume", "vwap", "trade_count", "bar_count")


def sequential_sum(values: pl.Series) -> float:
    """Add one by one in order: polars and numpy sum in blocks, whose last bits differ."""
    return float(np.cumsum(values.to_numpy())[-1])


def bucket_label(timeframe: str, first: int) -> pl.Expr:
    """Local wall-clock start of the bucket of (day, minute of the day)."""
    size = TIMEFRAMES[timeframe]
    if size is None:
        day = pl.col("day") if timeframe == "1d" else pl.col("day").dt.truncate("1w")
        return day.cast(pl.Datetime("us"))
    return pl.col("day").cast(pl.Datetime("us")) + pl.duration(
        minutes=first + (pl.col("minute") - first) // size * size
    )


def roll_up(minutes: pl.DataFrame, symbol: str, timeframe: str) -> pl.DataFrame:
    """Group regular minutes by their bucket on the exchange's wall clock; no calendar table is used."""
    zone = "UTC" if symbol.startswith("X:") else "America/New_York"
    first, last = (0, 1440) if zone == "UTC" else (570, 960)
    local = pl.col("ts").dt.convert_time_zone(zone)
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute().cast(pl.Int32)
    regular = minutes.with_columns(day=local.dt.date(), minute=minute).filter(
        pl.col("minute") >= first,
        pl.col("minute") < pl.when(pl.col("day").is_in(HALF_DAYS)).then(780).otherwise(last),
    )
    if not symbol.startswith("I:"):
        regular = regular.filter(
            ~((pl.col("volume") == 0) & (pl.col("open") == pl.col("high")) & (pl.col("low") == pl.col("high")))
        )
    label = bucket_label(timeframe, first)
    bucket = label.dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
    rows = []
    for (ts,), group in regular.sort("ts").with_columns(bucket=bucket).group_by("bucket", maintain_order=True):
        volume = sequential_sum(group["volume"])
        trading = group.filter(pl.col("volume") > 0)
        whole = trading["vwap"].null_count() == 0 and volume > 0
        turnover = sequential_sum((group["vwap"] * group["volume"]).fill_null(0.0)) if whole else 0.0
        counted = trading["trade_count"].null_count() == 0 and group["trade_count"].null_count() < group.height
        rows.append(
            (
                ts,
                group["open"][0],
                group["high"].max(),
                group["low"].min(),
                group["close"][-1],
                volume,
                turnover / volume if whole else None,
                group["trade_count"].sum() if counted else None,
                group.height,
            )
        )
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row").sort("ts")


def served(mart: Any, symbol: str, timeframe: str) -> list[tuple]:
    return mart.rows(
        f"select {', '.join(COLUMNS)} from serving.candles_v1 "
        "where symbol = %s and timeframe = %s and basis = 'minutes' order by ts",
        symbol,
        timeframe,
    )


def sums_apart(rows: list[tuple]) -> tuple[list[tuple], list[tuple]]:
    """Split volume and vwap from what must be exact."""
    sums = [COLUMNS.index(name) for name in ("volume", "vwap")]
    exact = [tuple(value for place, value in enumerate(row) if place not in sums) for row in rows]
    return exact, [tuple(row[place] for place in sums) for row in rows]


@pytest.mark.parametrize("timeframe", list(TIMEFRAMES))
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_candles_equal_an_independent_roll_up(mart: Any, symbol: str, timeframe: str) -> None:
    expected, expected_sums = sums_apart(roll_up(mart.minutes[symbol], symbol, timeframe).rows())
    assert expected
    candles, sums = sums_apart(served(mart, symbol, timeframe))
    assert candles == expected
    if symbol in {"X:BTCUSD", "CLOCK"}:
        assert sums == [(almost(volume), almost(vwap)) for volume, vwap in expected_sums]
    else:
        assert sums == expected_sums


def almost(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-12, abs=0)
