"""Minutes labelled by their end."""

from datetime import timedelta

import polars as pl
from quality_cases import BrokenSeries
from series_cases.clocks import shifted
from series_cases.completeness import minutes_view
from series_views import ts_of, with_bars

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict


def with_prints(view: SeriesView, *, at_open: bool = False, at_close: bool = False) -> SeriesView:
    """Return the view with a row of one price at the open of each session, or at its close."""
    rows = [view.bars]
    if at_open:
        first = view.marked.group_by("session", maintain_order=True).first()
        rows.append(_prints(first, "open", timedelta(minutes=-1)))
    if at_close:
        last = view.marked.group_by("session", maintain_order=True).last()
        rows.append(_prints(last, "close", timedelta(minutes=1)))
    return with_bars(view, pl.concat(rows))


def _prints(rows: pl.DataFrame, price: str, later: timedelta) -> pl.DataFrame:
    flat = [pl.col(price).alias(name) for name in ("open", "high", "low", "close", "vwap")]
    return rows.with_columns(*flat, ts=pl.col("ts") + later, volume=20 * pl.col("volume")).select(*BAR_SCHEMA)


def _cases() -> tuple[BrokenSeries, ...]:
    view, index = minutes_view(), minutes_view(AssetClass.INDICES)
    judged = tuple(ts_of(view, place) for place in range(10))
    later = shifted(view, 1)
    # As Google published them: the opening auction is a row of its own before the first minute.
    auction = with_prints(later, at_open=True)
    # Two rows before the open are enough for extended hours: thin, as those are.
    early = later.marked.filter(pl.col("minute") <= 2).with_columns(
        ts=pl.col("ts") - timedelta(minutes=2), volume=0.05 * pl.col("volume")
    )
    extended = with_bars(later, pl.concat([later.bars, early.select(*BAR_SCHEMA)]))
    return (
        BrokenSeries(later, judged, Verdict.CONFIRMED),
        BrokenSeries(auction, judged, Verdict.CONFIRMED),
        BrokenSeries(extended, judged, Verdict.CONFIRMED),
        BrokenSeries(shifted(index, 1), tuple(ts_of(index, place) for place in range(10)), Verdict.CONFIRMED),
        # A closing print on its own: labelled by the start, as an index is published.
        BrokenSeries(with_prints(index, at_close=True), (), Verdict.SUSPECTED),
        BrokenSeries(with_prints(view, at_close=True), (), Verdict.SUSPECTED),
    )


CASES = {"minutes_are_labelled_by_their_start": _cases()}
