"""Prices that stand still."""

from dataclasses import replace

import polars as pl
from quality_cases import BrokenSeries
from series_cases.completeness import day, day_view, halted, minutes_view
from series_views import by_session, ts_of, with_bars, with_put

from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict

_PRICES = ("open", "high", "low", "close")


def frozen(view: SeriesView, first: pl.Expr, where: pl.Expr, *columns: str) -> SeriesView:
    """Return the view with columns of the bars at `where` as they are in the bar at `first`."""
    kept = view.bars.filter(first)
    repeated = [pl.when(where).then(pl.lit(kept[name][0])).otherwise(name).alias(name) for name in columns]
    return with_bars(view, view.bars.with_columns(repeated))


def _stale() -> tuple[BrokenSeries, ...]:
    minutes, days = minutes_view(), day_view()
    start = ts_of(minutes, 4, 100)
    first = pl.col("ts") == start
    thirty, more = (pl.col("ts").is_between(start, ts_of(minutes, 4, last)) for last in (129, 128))
    stale = frozen(minutes, first, thirty, *_PRICES)
    week = pl.col("ts").is_between(ts_of(days, 2), ts_of(days, 6))
    return (
        BrokenSeries(stale, (start,), Verdict.SUSPECTED),
        BrokenSeries(frozen(minutes, first, more, *_PRICES), (), Verdict.SUSPECTED),
        BrokenSeries(frozen(minutes, first, thirty, *_PRICES, "volume"), (start,), Verdict.CONFIRMED),
        BrokenSeries(halted(stale, start, ts_of(minutes, 4, 130)), (start,), Verdict.EXPLAINED),
        BrokenSeries(
            frozen(days, pl.col("ts") == ts_of(days, 2), week, *_PRICES), (ts_of(days, 2),), Verdict.SUSPECTED
        ),
    )


def _empty_day() -> tuple[BrokenSeries, ...]:
    view = day_view()
    ts = ts_of(view, 4)
    close = view.bars.filter(pl.col("ts") < ts)["close"][-1]
    flat = with_put(view, ts, open=close, high=close, low=close, close=close, volume=0.0)
    moved = with_put(view, ts, open=90.0, high=90.0, low=90.0, close=90.0, volume=0.0)
    opens, closes = view.sessions.filter(pl.col("session") == day(view, 4)).select("open", "close").row(0)
    return (
        BrokenSeries(flat, (ts,), Verdict.SUSPECTED),
        BrokenSeries(moved, (ts,), Verdict.CONFIRMED),
        BrokenSeries(replace(flat, other=by_session(view)), (ts,), Verdict.CONFIRMED),
        BrokenSeries(halted(flat, opens, closes), (ts,), Verdict.EXPLAINED),
    )


CASES = {"price_does_not_stand_still": _stale(), "day_shows_trades": _empty_day()}
