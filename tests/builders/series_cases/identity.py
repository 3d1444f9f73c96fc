"""Holes of more than a month."""

from dataclasses import replace

import polars as pl
from quality_cases import BrokenSeries
from series_cases.completeness import day, day_view
from series_views import ts_of, without

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.quality.verdicts import Verdict


def _cases() -> tuple[BrokenSeries, ...]:
    view = day_view()
    ts, resumed = ts_of(view, 4), day(view, 4)
    places = view.sessions["session"]
    hole = without(view, (pl.col("session") < resumed) & (pl.col("session") >= places[64 - 25]))
    before = places[64 - 26]
    assert (resumed - before).days > 30
    short = without(view, (pl.col("session") < resumed) & (pl.col("session") >= places[64 - 15]))
    renamed = Action(
        kind=ActionKind.TICKER_CHANGE, ex_date=resumed, status=Status.ACCEPTED, evidence={}, source="vendor"
    )
    asked = view.asked.filter((view.asked <= before) | (view.asked >= resumed))
    return (
        BrokenSeries(hole, (ts,), Verdict.SUSPECTED),
        BrokenSeries(short, (), Verdict.SUSPECTED),
        BrokenSeries(replace(hole, renames=(resumed,)), (ts,), Verdict.EXPLAINED),
        BrokenSeries(replace(hole, actions=(renamed,)), (ts,), Verdict.EXPLAINED),
        BrokenSeries(replace(hole, renames=(before,)), (ts,), Verdict.SUSPECTED),
        BrokenSeries(replace(hole, asked=asked), (), Verdict.SUSPECTED),
    )


CASES = {"identity_has_no_hole": _cases()}
