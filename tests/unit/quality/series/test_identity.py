"""Holes of more than a month."""

import json
from dataclasses import replace

import polars as pl
from series_cases.completeness import day, day_view, halted
from series_cases.volumes import split_on
from series_views import ts_of, with_scaled, without
from tape_series import SYMBOLS, tape_view

from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

RULE = SERIES_RULES["identity_has_no_hole"]


def with_hole(view: SeriesView) -> SeriesView:
    places = view.sessions["session"]
    return without(view, (pl.col("session") < day(view, 4)) & (pl.col("session") >= places[64 - 25]))


def test_tapes_have_no_hole_of_a_month() -> None:
    # The longest outage of the bitcoin tape lasts 21 days.
    assert [name for name in SYMBOLS if RULE.judge(tape_view(name)).height] == []


def test_halt_as_long_as_the_hole_explains_it() -> None:
    view = day_view()
    hole = with_hole(view)
    suspended = halted(hole, view.sessions["open"][64 - 25], ts_of(view, 4))
    assert RULE.judge(suspended)["verdict"].to_list() == ["explained"]


def test_evidence_shows_the_price_across_the_hole_on_one_basis() -> None:
    view = day_view()
    hole = with_hole(with_scaled(view, pl.col("session") < day(view, 4), price=4.0, volume=0.25))
    known = replace(hole, actions=(split_on(view, 4, 4),))
    raw, adjusted = (json.loads(RULE.judge(item)["evidence"][0])["price_times"] for item in (hole, known))
    assert 0.2 < raw < 0.3
    assert 0.8 < adjusted < 1.25
