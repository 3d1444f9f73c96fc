"""Leaps that return, on real series."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
import series_views
from price_tapes import DAYS, day_view, excerpts, split
from tape_series import tape_view

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES

RULE = SERIES_RULES["close_does_not_leap_and_return"]


@pytest.mark.parametrize("name", [*DAYS, "us_minute/AAPL", "us_minute/MSFT", "us_minute/SPY_2011-01"])
def test_no_leap_of_a_real_series_is_confirmed(name: str) -> None:
    view = day_view(name) if name in DAYS else tape_view(name)
    assert RULE.judge(view).filter(pl.col("verdict") == "confirmed").is_empty()


@pytest.mark.parametrize("name", ["us_daily/BA", "us_daily/GE"])
def test_crash_of_1987_is_a_true_move(name: str) -> None:
    hits = RULE.judge(day_view(name)).filter(pl.col("session") == date(1987, 10, 19))
    assert hits["verdict"].to_list() == ["true_move"]


def test_95_of_100_bad_closes_put_into_real_days_are_found() -> None:
    # A fifth off is 8 deviations of any share calmer than 2.5 % a day; livelier ones are left out.
    count, missed, tried = 150, 0, 0
    for place, (view, ts) in enumerate(excerpts(count, seed=21)):
        returns = view.bars["close"].log().diff().drop_nulls()
        if (returns - returns.median()).abs().median() * 1.4826 > 0.02:
            continue
        tried += 1
        close = view.bars.filter(pl.col("ts") == ts)["close"][0] * (1.25 if place % 2 else 0.8)
        side = {"high": close} if place % 2 else {"low": close}
        hits = RULE.judge(series_views.with_put(view, ts, close=close, **side))
        missed += ts not in hits.filter(pl.col("verdict").is_in(["confirmed", "suspected"]))["ts"].to_list()
    assert tried > 100
    assert missed <= 0.05 * tried


def test_bad_minute_of_two_percent_is_found_in_a_real_series_and_refuted_by_the_day() -> None:
    view = tape_view("us_minute/MSFT")
    days = series_views.by_session(view)
    places = list(range(700, 8000, 137))
    claims = 0
    for place in places:
        ts = view.bars["ts"][place]
        broken = series_views.with_scaled(view, pl.col("ts") == ts, price=1.02)
        found = RULE.judge(replace(broken, other=days)).filter(pl.col("ts") == ts)
        claims += found["verdict"].to_list() in (["confirmed"], ["suspected"])
    assert claims >= 0.95 * len(places)


def test_split_inside_the_window_does_not_make_volume_look_like_a_crash() -> None:
    # After 10:1 a share trades ten times as many; that is no sign of a true move.
    view = series_views.clean_view(Timeframe.D1)
    ex, ts = series_views.ts_of(view, 3), series_views.ts_of(view, 7)
    ten = series_views.with_scaled(view, pl.col("ts") >= ex, price=0.1, volume=10.0)
    close = ten.bars.filter(pl.col("ts") == ts)["close"][0] * 1.4
    broken = series_views.with_put(replace(ten, actions=(split(ex.date(), 10),)), ts, close=close, high=close)
    assert RULE.judge(broken)["verdict"].to_list() == ["suspected"]


def test_change_of_unit_is_left_to_its_own_rule() -> None:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 7)
    assert RULE.judge(series_views.with_scaled(view, pl.col("ts") == ts, price=100)).is_empty()


def test_thin_share_whose_price_mostly_stands_still_is_judged_by_its_moves() -> None:
    # Two days in three unchanged, the others 4 % up and down: a median deviation of zero must not alarm at 6 %.
    view = series_views.clean_view(Timeframe.D1)
    path = pl.Series([40.0, 40.0, 40.0, 41.6, 41.6, 41.6] * 14)[: view.bars.height]
    bars = view.bars.with_columns(open=path, close=path, high=path * 1.001, low=path * 0.999)
    ts = series_views.ts_of(view, 7)
    at = bars.filter(pl.col("ts") == ts)["close"][0] * 1.06
    assert RULE.judge(series_views.with_put(series_views.with_bars(view, bars), ts, close=at, high=at)).is_empty()
