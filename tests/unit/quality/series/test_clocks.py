"""Sessions on another clock."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from series_cases.clocks import shifted, with_auctions
from series_cases.completeness import day, halted, minutes_view
from series_views import by_session, clean_view, ts_of, without
from tape_series import raw_google_view, raw_ninjatrader_view, tape_view

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

RULE = SERIES_RULES["volume_keeps_its_clock"]
STOCKS = ("us_minute/AAPL", "us_minute/MSFT", "us_minute/SPY_2011-01")


def one_shifted(view: SeriesView, session: date, minutes: int) -> SeriesView:
    return shifted(view, minutes, pl.col("session") == session)


@pytest.mark.parametrize("name", [*STOCKS, "crypto_minute/X_BTCUSD_bitfinex_2016"])
def test_tape_on_its_clock_passes(name: str) -> None:
    assert RULE.judge(tape_view(name)).is_empty()


def test_label_of_a_minute_is_not_its_clock() -> None:
    assert RULE.judge(raw_ninjatrader_view()).is_empty()
    assert RULE.judge(raw_google_view("AAPL")).is_empty()


@pytest.mark.parametrize("name", STOCKS)
@pytest.mark.parametrize("minutes", [-300, -60, 60, 240])
def test_session_of_a_real_tape_on_another_clock_is_found(name: str, minutes: int) -> None:
    view = tape_view(name)
    # The first 8 sessions have too little history; 2016-05-06 of AAPL is unlike its days by itself.
    sessions = [session for session in view.sessions["session"][8:] if session != date(2016, 5, 6)]
    found = [RULE.judge(one_shifted(view, session, minutes))["session"].to_list() for session in sessions]
    assert found == [[session] for session in sessions]


@pytest.mark.parametrize("name", STOCKS)
@pytest.mark.parametrize("minutes", [-60, 300])
def test_tape_that_is_late_as_a_whole_opens_at_the_wrong_minute(name: str, minutes: int) -> None:
    hits = RULE.judge(shifted(tape_view(name), minutes))
    assert hits.height >= 16
    assert hits["evidence"].str.json_path_match("$.lag_minutes").unique().to_list() == [str(minutes)]


def test_coin_without_a_pattern_of_its_day_is_not_judged() -> None:
    view = tape_view("crypto_minute/X_BTCUSD_bitfinex_2016")
    assert RULE.judge(shifted(view, 300)).is_empty()
    assert RULE.judge(one_shifted(view, date(2016, 4, 10), 240)).is_empty()


def test_half_day_and_change_of_the_clock_are_on_time() -> None:
    assert RULE.judge(with_auctions(clean_view(Timeframe.M1, lookback=20, judged=45))).is_empty()


def test_late_opening_that_is_known_is_explained() -> None:
    view = minutes_view()
    late = one_shifted(view, day(view, 4), 60)
    known = halted(late, ts_of(view, 4), ts_of(view, 4, 60))
    assert RULE.judge(known)["verdict"].to_list() == ["explained"]


def test_day_bar_that_opens_with_the_minutes_speaks_for_them() -> None:
    view = minutes_view()
    late = one_shifted(view, day(view, 4), 60)
    # With half an hour of extended hours the grid does not show the shift; the open of the day does.
    pre = view.marked.filter((pl.col("session") == day(view, 4)) & (pl.col("minute") < 90))
    early = pre.with_columns(pl.col("ts") - timedelta(minutes=30)).select(late.bars.columns)
    wide = replace(late, bars=pl.concat([late.bars, early.join(late.bars, on="ts", how="anti")]).sort("ts"))
    assert RULE.judge(wide)["verdict"].to_list() == ["suspected"]
    assert RULE.judge(replace(wide, other=by_session(view)))["verdict"].to_list() == ["confirmed"]


def test_session_whose_first_hour_is_missing_is_not_late() -> None:
    view = with_auctions(minutes_view())
    assert RULE.judge(without(view, (pl.col("session") == day(view, 4)) & (pl.col("minute") < 60))).is_empty()
