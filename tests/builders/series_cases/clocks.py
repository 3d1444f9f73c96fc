"""Sessions on another clock."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
from quality_cases import BrokenSeries
from series_cases.completeness import day, minutes_view
from series_views import by_session, ts_of, with_bars

from chandlery.market.symbols import AssetClass
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict


def shifted(view: SeriesView, minutes: int, where: pl.Expr | None = None) -> SeriesView:
    """Return the view with bars (of `where`, over session) that many minutes later."""
    at = pl.lit(value=True) if where is None else where
    later = pl.when(at).then(pl.col("ts") + timedelta(minutes=minutes)).otherwise("ts")
    return with_bars(view, view.marked.with_columns(ts=later))


def with_auctions(view: SeriesView) -> SeriesView:
    """Return the view with an opening minute of ten times the volume, as real ones have."""
    volume = pl.when(pl.col("minute") == 0).then(10 * pl.col("volume")).otherwise("volume")
    return with_bars(view, view.marked.with_columns(volume=volume))


def turned(view: SeriesView, minutes: int, place: int) -> SeriesView:
    """Return a view around the clock with one session turned: what leaves at its end comes back at its start."""
    here = pl.col("session") == day(view, place)
    minute = (pl.col("minute") + minutes) % 1440
    ts = pl.lit(ts_of(view, place)) + pl.duration(minutes=minute)
    return with_bars(view, view.marked.with_columns(ts=pl.when(here).then(ts).otherwise("ts")))


def _cases() -> tuple[BrokenSeries, ...]:
    view, coin = minutes_view(), minutes_view(AssetClass.CRYPTO)
    one = shifted(view, 60, pl.col("session") == day(view, 4))
    every = shifted(with_auctions(view), 60)
    judged = tuple(ts_of(view, place) for place in range(10))
    opened = replace(one, other=by_session(view))
    return (
        BrokenSeries(one, (ts_of(view, 4),), Verdict.CONFIRMED),
        BrokenSeries(opened, (ts_of(view, 4),), Verdict.CONFIRMED),
        BrokenSeries(shifted(view, -60, pl.col("session") == day(view, 4)), (ts_of(view, 4),), Verdict.CONFIRMED),
        BrokenSeries(every, judged, Verdict.CONFIRMED),
        BrokenSeries(turned(coin, 240, 4), (ts_of(coin, 4),), Verdict.SUSPECTED),
        BrokenSeries(with_auctions(view), (), Verdict.SUSPECTED),
    )


CASES = {"volume_keeps_its_clock": _cases()}
