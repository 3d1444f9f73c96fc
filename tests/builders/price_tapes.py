"""The shared day tapes with their recorded splits, and damage done to any series."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

import numpy as np
import polars as pl
from series_views import with_scaled
from tape_series import read_tape, tape_view

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.quality.series.view import SESSION_BARS_SCHEMA, SeriesView

DAYS = ("us_daily/AAPL", "us_daily/BA", "us_daily/GE", "us_daily/EBAY", "us_daily/yahoo_AAPL", "us_daily/yahoo_SPY")


def day_view(name: str) -> SeriesView:
    """Return a tape with its splits on record; Yahoo's bars are divided by splits, WIKI's are as traded."""
    frame = read_tape(name)
    actions: tuple[Action, ...] = ()
    if "split_ratio" in frame.columns:
        rows = frame.filter(pl.col("split_ratio") != 1).select("session", "split_ratio").iter_rows()
        actions = tuple(split(day, Fraction(ratio).limit_denominator(100)) for day, ratio in rows)
    return tape_view(name, actions=actions, is_split_adjusted="yahoo" in name)


def tape_sessions(name: str) -> pl.DataFrame:
    """Return a day tape as another record of its sessions, in `SESSION_BARS_SCHEMA`."""
    frame = read_tape(name).select("session", "open", "high", "low", "close", "volume", pl.lit(1).alias("bars"))
    return frame.cast(dict(SESSION_BARS_SCHEMA))  # type: ignore[arg-type]


def split(ex_date: date, ratio: Fraction, status: Status = Status.ACCEPTED) -> Action:
    """Return a recorded split, `ratio` new shares per old."""
    return Action(
        kind=ActionKind.SPLIT,
        ex_date=ex_date,
        status=status,
        evidence={},
        source="tape",
        split_from=ratio.denominator,
        split_to=ratio.numerator,
    )


def excerpts(count: int, *, seed: int) -> Iterator[tuple[SeriesView, datetime]]:
    """Yield excerpts of 180 real day bars far from every recorded split, each with the instant of its 121st."""
    random = np.random.default_rng(seed)
    views = [day_view(name) for name in DAYS]
    done = 0
    while done < count:
        view = views[random.integers(len(views))]
        place = int(random.integers(130, view.bars.height - 70))
        ts = view.bars["ts"][place]
        if any(abs((action.ex_date - ts.date()).days) < 200 for action in view.actions):
            continue
        done += 1
        yield replace(view, bars=view.bars[place - 120 : place + 60], actions=()), ts


def with_split(view: SeriesView, ts: datetime, ratio: Fraction) -> SeriesView:
    """Return the view as if its shares had been split into `ratio` new ones at `ts`, without a record."""
    return with_scaled(view, pl.col("ts") >= ts, price=1 / float(ratio), volume=float(ratio))


def with_news(view: SeriesView, ts: datetime, *, price: float, volume: float, decay: float, wide: float) -> SeriesView:
    """Return the view with a lasting true move: no split, but trading of its own.

    Args:
        view: day bars.
        ts: of the first bar on the new level.
        price: new level over old.
        volume: first day's volume over what it was.
        decay: share of the excess of volume left the next day; 1: it stays, as the same money buys more shares.
        wide: range of the first day over what it was, as a power.
    """
    after = (pl.int_range(pl.len()) - view.bars["ts"].index_of(ts)).cast(pl.Float64)
    here, later = pl.col("ts") == ts, pl.col("ts") >= ts
    prices = [pl.col(name) * pl.when(later).then(price).otherwise(1.0) for name in ("open", "high", "low", "close")]
    traded = pl.col("volume") * pl.when(later).then(1 + (volume - 1) * pl.lit(decay).pow(after)).otherwise(1.0)
    moved = view.bars.with_columns(*prices, traded)
    middle = (pl.col("high") * pl.col("low")).sqrt()
    reach = {
        "high": pl.max_horizontal(middle * (pl.col("high") / middle).pow(wide), "open", "close"),
        "low": pl.min_horizontal(middle * (pl.col("low") / middle).pow(wide), "open", "close"),
    }
    spread = [pl.when(here).then(value).otherwise(pl.col(name)).alias(name) for name, value in reach.items()]
    return replace(view, bars=moved.with_columns(spread))
