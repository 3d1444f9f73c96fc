"""Volumes far from their habit."""

from dataclasses import replace

import polars as pl
from quality_cases import BrokenSeries
from series_cases.completeness import day, day_view, minutes_view
from series_views import by_session, ts_of, with_put, with_scaled

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict


def split_on(view: SeriesView, place: int, new: int, old: int = 1) -> Action:
    """Return an accepted split on the `place`-th judged session."""
    return Action(
        kind=ActionKind.SPLIT,
        ex_date=day(view, place),
        status=Status.ACCEPTED,
        evidence={"reason": "recorded"},
        source="vendor",
        split_from=old,
        split_to=new,
    )


def _cases() -> tuple[BrokenSeries, ...]:
    days, minutes = day_view(), minutes_view()
    at, minute = pl.col("ts") == ts_of(days, 4), pl.col("ts") == ts_of(minutes, 4, 200)
    large = with_scaled(days, at, volume=80.0)
    # Traded a hundredth, yet with the range of a whole day.
    small = with_scaled(days, at, volume=0.01)
    burst = with_scaled(minutes, minute, volume=60.0)
    ts = ts_of(minutes, 4, 200)
    close = burst.bars.filter(pl.col("ts") == ts)["close"][0]
    jumped = with_put(burst, ts, high=close * 1.01)
    busy = with_scaled(burst, pl.col("ts").is_between(ts_of(minutes, 4, 194), ts_of(minutes, 4, 206)), volume=6.0)
    thick = with_scaled(minutes, pl.col("session") == day(minutes, 4), volume=80.0)
    rolled = by_session(minutes)
    # 30 for 1: before the ex-date a thirtieth of the shares is traded, at thirty times the price.
    split = with_scaled(days, pl.col("session") < day(days, 4), price=30.0, volume=1 / 30)
    return (
        BrokenSeries(large, (ts_of(days, 4),), Verdict.SUSPECTED),
        BrokenSeries(small, (ts_of(days, 4),), Verdict.CONFIRMED),
        BrokenSeries(burst, (ts,), Verdict.SUSPECTED),
        BrokenSeries(jumped, (ts,), Verdict.TRUE_MOVE),
        BrokenSeries(busy, (ts,), Verdict.TRUE_MOVE),
        BrokenSeries(replace(burst, other=by_session(burst)), (ts,), Verdict.TRUE_MOVE),
        BrokenSeries(
            replace(burst, other=rolled.with_columns(volume=0.96 * pl.col("volume"))), (ts,), Verdict.CONFIRMED
        ),
        BrokenSeries(thick, (ts_of(minutes, 4),), Verdict.SUSPECTED),
        BrokenSeries(replace(split, actions=(split_on(days, 4, 30),)), (), Verdict.SUSPECTED),
    )


CASES = {"volume_keeps_its_habit": _cases()}
