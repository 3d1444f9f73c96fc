"""Jumps by a ratio on real series: recorded splits with their records hidden, splits put in, crashes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
import series_views
from price_tapes import DAYS, day_view, excerpts, split, with_news, with_split

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

RULE = SERIES_RULES["jump_by_a_split_ratio_has_a_record"]
RATIOS = [Fraction(text) for text in ("5/4", "4/3", "3/2", "2", "3", "4", "7", "10", "1/2", "1/5", "1/10", "1/20")]
CLAIMS = ("confirmed", "suspected")


def verdicts(view: SeriesView) -> dict[date, str]:
    return dict(RULE.judge(view).select("session", "verdict").iter_rows())


def claimed(view: SeriesView) -> list[date]:
    return [session for session, verdict in verdicts(view).items() if verdict in CLAIMS]


def test_at_least_18_of_the_21_recorded_splits_are_found_without_their_records() -> None:
    found, recorded, others = 0, 0, []
    for name in DAYS[:4]:
        view = day_view(name)
        claims = claimed(replace(view, actions=()))
        ex_dates = [action.ex_date for action in view.actions]
        found += sum(day in claims for day in ex_dates)
        recorded += len(ex_dates)
        others += [day for day in claims if day not in ex_dates]
    assert recorded == 21
    assert found >= 18
    assert others == []


@pytest.mark.parametrize("name", DAYS)
def test_no_jump_is_claimed_where_splits_are_on_record(name: str) -> None:
    assert claimed(day_view(name)) == []


def test_true_crashes_are_no_splits() -> None:
    on_aapl = verdicts(day_view("us_daily/AAPL"))
    assert on_aapl[date(2000, 9, 29)] == "true_move"
    assert on_aapl[date(1983, 9, 26)] == "true_move"
    for name in ("us_daily/BA", "us_daily/GE"):
        assert verdicts(day_view(name)).get(date(1987, 10, 19)) in {None, "true_move"}


def test_95_of_100_splits_put_into_real_series_are_claimed_and_nothing_else() -> None:
    missed, others = 0, 0
    count = 240
    for place, (view, ts) in enumerate(excerpts(count, seed=20)):
        before = claimed(view)
        claims = claimed(with_split(view, ts, RATIOS[place % len(RATIOS)]))
        missed += ts.date() not in claims
        others += len(set(claims) - {ts.date()} - set(before))
    assert missed <= 0.05 * count
    # 240 excerpts of 180 bars: at most one in 10,000.
    assert others <= 4


def test_jump_is_measured_by_the_middle_of_the_range_where_open_and_close_were_copied() -> None:
    # AAPL 1987-06-16: open and close 41.5 after 78.5 are 5.6 % off 2:1, the low of 38 is not.
    assert date(1987, 6, 16) in claimed(replace(day_view("us_daily/AAPL"), actions=()))


def halved() -> tuple[SeriesView, date]:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 8)
    return with_split(view, ts, Fraction(2)), ts.date()


def test_recorded_split_explains_its_jump() -> None:
    view, day = halved()
    assert claimed(view) == [day]
    assert claimed(replace(view, actions=(split(day, Fraction(2)),))) == []


def test_record_in_doubt_nearby_leaves_the_jump_to_the_rules_about_records() -> None:
    view, day = halved()
    record = split(date(day.year, day.month, day.day - 2), Fraction(2), Status.SUSPECTED)
    assert claimed(replace(view, actions=(record,))) == []


def test_recorded_cash_explains_a_fall_of_its_size() -> None:
    # A fall by half from about 80 is also the fall by a special dividend of 40.
    view, day = halved()
    before = view.bars.filter(pl.col("ts") < series_views.ts_of(view, 8))["close"][-1]
    paid = Action(
        kind=ActionKind.CASH_DIVIDEND,
        ex_date=day,
        status=Status.ACCEPTED,
        evidence={},
        source="made",
        cash=Decimal(str(round(before / 2, 2))),
        currency="USD",
    )
    assert verdicts(replace(view, actions=(paid,)))[day] == "explained"


def test_fall_the_sisters_made_too_is_true() -> None:
    view, day = halved()
    sisters = pl.DataFrame({"session": [day], "median_return": [-0.3], "instruments": [9]})
    assert verdicts(replace(view, sisters=sisters))[day] == "true_move"


def test_source_that_did_not_jump_confirms_a_split_by_three_halves() -> None:
    calm = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(calm, 8)
    broken = with_split(calm, ts, Fraction(3, 2))
    assert verdicts(broken)[ts.date()] == "suspected"
    vendor = series_views.by_session(calm).with_columns(pl.col("close") * 1.0003)
    assert verdicts(replace(broken, witnesses={"vendor": vendor}))[ts.date()] == "confirmed"
    crashed = series_views.by_session(broken).with_columns(pl.col("close") * 1.0003)
    assert verdicts(replace(broken, witnesses={"vendor": crashed}))[ts.date()] == "true_move"


def test_fall_that_comes_back_the_next_day_is_no_split() -> None:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 8)
    assert claimed(series_views.with_scaled(view, pl.col("ts") == ts, price=0.5)) == []


@pytest.mark.parametrize("decay", [0.6, 0.8, 1.0])
@pytest.mark.parametrize("wide", [1.0, 3.0])
@pytest.mark.parametrize("is_fall", [True, False])
def test_no_true_move_put_into_a_real_series_is_ever_confirmed(decay: float, wide: float, *, is_fall: bool) -> None:
    # News of any size, quiet or wild, with volume that fades or, as the same money buys more shares, stays.
    random = np.random.default_rng(31)
    for view, ts in excerpts(60, seed=32):
        price = float(random.uniform(0.1, 0.85) if is_fall else random.uniform(1.2, 8.0))
        moved = with_news(view, ts, price=price, volume=float(random.uniform(1.5, 20)), decay=decay, wide=wide)
        assert verdicts(moved).get(ts.date()) != "confirmed"
