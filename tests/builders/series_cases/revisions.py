"""Bars that changed after they were published."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
from quality_cases import BrokenSeries
from series_cases.completeness import minutes_view
from series_views import ts_of

from chandlery.quality.series.view import REVISION_SCHEMA, SeriesView
from chandlery.quality.verdicts import Verdict


def revised(view: SeriesView, *rows: tuple[datetime, str, float | None]) -> SeriesView:
    """Return the view with revisions: instant, reason, and the new close where the old one was 100."""
    known = view.sessions["close"][-1] + timedelta(hours=12)
    values = [(ts, reason, known, 100.0, close, 1000.0, 1100.0) for ts, reason, close in rows]
    return replace(view, revisions=pl.DataFrame(values, schema=REVISION_SCHEMA, orient="row").sort("ts"))


def _cases() -> tuple[BrokenSeries, ...]:
    view = minutes_view()
    first, second, third = (ts_of(view, 4, minute) for minute in (10, 11, 200))
    correction = ("vendor_correction", 100.02)
    return (
        BrokenSeries(revised(view, (first, *correction)), (first,), Verdict.CONFIRMED),
        BrokenSeries(
            revised(view, (first, *correction), (second, *correction), (third, *correction)),
            (first,),
            Verdict.CONFIRMED,
        ),
        BrokenSeries(revised(view, (first, "late_trade", 100.5)), (first,), Verdict.EXPLAINED),
        BrokenSeries(revised(view, (second, "withdrawn", None)), (second,), Verdict.CONFIRMED),
    )


CASES = {"bar_keeps_its_values": _cases()}
