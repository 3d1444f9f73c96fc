"""Series to judge: a calm, complete, seeded market in which no rule may find anything, and ways to break it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass, Instrument, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SESSION_BARS_SCHEMA, SeriesView

SYMBOLS = {AssetClass.STOCKS: "AAA", AssetClass.CRYPTO: "X:AAAUSD", AssetClass.INDICES: "I:AAA"}
FIRST = date(2012, 9, 4)
"""Views of 60 and more sessions hold the half day 2012-11-23, the storm of 29 and 30 October, a change of the clock."""


@cache
def clean_view(
    timeframe: Timeframe,
    asset_class: AssetClass = AssetClass.STOCKS,
    *,
    lookback: int = 60,
    judged: int = 20,
    seed: int = 7,
) -> SeriesView:
    """Return a view of `lookback` sessions of history and `judged` sessions to judge.

    Closes are a log random walk of 1.2 % a day; minutes bridge each day's open and close; volume has the U of a day.
    """
    calendar = calendar_of(asset_class)
    days = sessions(calendar, FIRST, FIRST + timedelta(days=2 * (lookback + judged))).head(lookback + judged)
    start = days["session"][lookback]
    end = days["session"][-1] + timedelta(days=1)
    bars = _days(days, seed) if timeframe is Timeframe.D1 else _minutes(days, seed)
    if asset_class is AssetClass.INDICES:
        bars = bars.with_columns(volume=pl.lit(0.0), vwap=pl.lit(None, dtype=pl.Float64))
    return SeriesView(
        instrument=Instrument(1, SYMBOLS[asset_class], asset_class, calendar),
        timeframe=timeframe,
        start=start,
        end=end,
        bars=bars,
        sessions=days,
        asked=days["session"],
        listed_on=FIRST,
    )


def with_bars(view: SeriesView, bars: pl.DataFrame) -> SeriesView:
    """Return the view over other bars, which may be in any order."""
    return replace(view, bars=bars.select(*BAR_SCHEMA).sort("ts"))


def with_put(view: SeriesView, ts: datetime, **values: float | None) -> SeriesView:
    """Return the view with values of one bar replaced."""
    place = pl.col("ts") == ts
    changed = [
        pl.when(place).then(pl.lit(value, dtype=BAR_SCHEMA[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return with_bars(view, view.bars.with_columns(changed))


def with_scaled(view: SeriesView, where: pl.Expr, *, price: float = 1.0, volume: float = 1.0) -> SeriesView:
    """Return the view with prices and volumes of the bars at `where` (over ts, session) times a factor."""
    marked = view.marked.with_columns(hit=where)
    factors = {**dict.fromkeys(("open", "high", "low", "close", "vwap"), price), "volume": volume}
    changed = [
        pl.when("hit").then(pl.col(name) * factor).otherwise(pl.col(name)).alias(name)
        for name, factor in factors.items()
    ]
    return with_bars(view, marked.with_columns(changed))


def without(view: SeriesView, where: pl.Expr) -> SeriesView:
    """Return the view without the bars at `where` (over ts, session, minute)."""
    return with_bars(view, view.marked.filter(~where))


def by_session(view: SeriesView) -> pl.DataFrame:
    """Return the regular bars of the view rolled up by session, as `SeriesView.other` has them."""
    first, last = pl.col("open").first(), pl.col("close").last()
    return (
        view.marked.filter("is_regular")
        .group_by("session", maintain_order=True)
        .agg(first, pl.col("high").max(), pl.col("low").min(), last, pl.col("volume").sum(), pl.len().alias("bars"))
        .cast(dict(SESSION_BARS_SCHEMA))  # type: ignore[arg-type]
    )


def ts_of(view: SeriesView, place: int, minute: int = 0) -> datetime:
    """Return the ts of the bar of the `place`-th judged session (negative from the end) at a minute since its open."""
    judged = view.sessions.filter((pl.col("session") >= view.start) & (pl.col("session") < view.end))
    row = judged.row(place, named=True)
    if view.timeframe is Timeframe.D1:
        return row["day_ts"]
    return row["open"] + timedelta(minutes=minute)


def _closes(days: pl.DataFrame, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0, 0.012, days.height)
    return 80.0 * np.exp(np.cumsum(np.clip(steps, -0.03, 0.03)))


def _days(days: pl.DataFrame, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed + 1)
    closes = _closes(days, seed)
    opens = np.concatenate([[80.0], closes[:-1]]) * np.exp(random.normal(0.0, 0.002, days.height))
    reach = np.abs(random.normal(0.004, 0.001, days.height)) + 0.001
    high, low = np.maximum(opens, closes) * (1 + reach), np.minimum(opens, closes) * (1 - reach)
    volume = np.round(2e6 * np.exp(random.normal(0.0, 0.2, days.height)))
    return _frame(days["day_ts"], open=opens, high=high, low=low, close=closes, volume=volume)


def _minutes(days: pl.DataFrame, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed + 2)
    closes = _closes(days, seed)
    parts = []
    before = 80.0
    for row, close in zip(days.iter_rows(named=True), closes, strict=True):
        count = int((row["close"] - row["open"]).total_seconds() // 60)
        walk = np.cumsum(np.clip(random.normal(0.0, 0.0004, count), -0.001, 0.001))
        bridge = walk - np.linspace(0.0, 1.0, count) * walk[-1]
        path = np.exp(np.log(before) + np.linspace(0.0, 1.0, count) * np.log(close / before) + bridge)
        opens = np.concatenate([[before], path[:-1]])
        reach = np.abs(random.normal(0.0003, 0.0001, count)) + 0.0001
        high, low = np.maximum(opens, path) * (1 + reach), np.minimum(opens, path) * (1 - reach)
        place = np.linspace(-1.0, 1.0, count)
        volume = np.round(4_000 * (1.0 + 2.0 * place**4) * np.exp(random.normal(0.0, 0.3, count)))
        stamps = pl.datetime_range(row["open"], row["close"], "1m", closed="left", eager=True)
        parts.append(_frame(stamps, open=opens, high=high, low=low, close=path, volume=volume))
        before = close
    return pl.concat(parts)


def _frame(ts: pl.Series, **values: np.ndarray) -> pl.DataFrame:
    return (
        pl.DataFrame({"ts": ts.cast(TS), **values})
        .with_columns(
            vwap=pl.mean_horizontal("high", "low", "close"),
            trade_count=(pl.col("volume") / 100).cast(pl.Int64),
        )
        .select(*BAR_SCHEMA)
    )
