"""Recorded splits against real prices."""

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
import series_views
from price_tapes import DAYS, day_view, excerpts, split, with_split

from chandlery.market.actions import Action, Status
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

RULE = SERIES_RULES["recorded_split_shows_in_prices"]
TWO = Fraction(2)


def reasons(view: SeriesView, *actions: Action) -> list[tuple[str, str, str | None]]:
    hits = RULE.judge(replace(view, actions=actions) if actions else view)
    return [(json.loads(row["evidence"])["reason"], row["verdict"], row["severity"]) for row in hits.to_dicts()]


@pytest.mark.parametrize("name", DAYS)
def test_recorded_splits_of_real_series_show(name: str) -> None:
    assert reasons(day_view(name)) == []


def test_split_that_never_happened_is_confirmed_on_95_of_100_real_days() -> None:
    count, missed = 100, 0
    for view, ts in excerpts(count, seed=24):
        missed += reasons(replace(view, is_split_adjusted=False), split(ts.date(), TWO)) != [
            ("prices_do_not_jump", "confirmed", None)
        ]
    assert missed <= 0.05 * count


def test_split_that_happened_is_silent_on_95_of_100_real_days() -> None:
    count, alarms = 100, 0
    for view, ts in excerpts(count, seed=25):
        halved = replace(with_split(view, ts, TWO), is_split_adjusted=False)
        alarms += reasons(halved, split(ts.date(), TWO)) != []
    assert alarms <= 0.05 * count


def split_view() -> tuple[SeriesView, date]:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 8)
    return with_split(view, ts, TWO), ts.date()


def test_rejected_twin_a_week_later_is_reported_and_costs_nothing() -> None:
    # SHOP: 2022-06-22 and 06-29 hold the same 10:1; the earlier was rejected as its prices did not jump.
    view, day = split_view()
    twin = split(day - timedelta(days=7), TWO, Status.REJECTED)
    assert reasons(view, twin, split(day, TWO)) == [("recorded_twice", "confirmed", "info")]


def test_accepted_twin_a_week_later_costs() -> None:
    view, day = split_view()
    assert reasons(view, split(day, TWO), split(day + timedelta(days=7), TWO)) == [
        ("recorded_twice", "confirmed", None)
    ]


def test_same_ratio_a_year_apart_is_two_splits() -> None:
    view, day = split_view()
    assert reasons(view, split(day, TWO), split(day + timedelta(days=365), TWO)) == []


def test_split_to_come_is_inert_until_the_bars_step_by_it() -> None:
    view = series_views.clean_view(Timeframe.D1)
    to_come = split(view.end + timedelta(days=4), TWO)
    assert reasons(view, to_come) == []
    early = with_split(view, series_views.ts_of(view, -4), TWO)
    assert reasons(early, to_come) == [("applied_before_its_day", "confirmed", None)]


def test_divided_prices_show_no_recorded_split() -> None:
    view = series_views.clean_view(Timeframe.D1)
    assert reasons(replace(view, is_split_adjusted=True), split(series_views.ts_of(view, 8).date(), TWO)) == []


def test_ratio_lost_in_the_returns_is_not_judged() -> None:
    view = series_views.clean_view(Timeframe.D1)
    assert reasons(view, split(series_views.ts_of(view, 8).date(), Fraction(21, 20))) == []


def test_record_before_the_first_bar_says_nothing() -> None:
    view = series_views.clean_view(Timeframe.D1)
    first = view.bars["ts"][0].date()
    assert reasons(view, split(first, TWO), split(first - timedelta(days=30), TWO)) == []


def test_jump_three_sessions_late_is_left_to_the_share_basis() -> None:
    view = series_views.clean_view(Timeframe.D1)
    late = with_split(view, series_views.ts_of(view, 8), TWO)
    record = split(series_views.ts_of(view, 5).date(), TWO)
    assert reasons(late, record) == []
    hits = SERIES_RULES["series_has_one_share_basis"].judge(replace(late, actions=(record,)))
    assert hits["ts"].to_list() == [series_views.ts_of(view, 5)]
    assert hits.select(pl.col("ts_end")).item() == series_views.ts_of(view, 8)
