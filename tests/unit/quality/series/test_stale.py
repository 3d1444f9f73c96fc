"""Prices that stand still."""

from datetime import date

import polars as pl
import pytest
from series_cases.completeness import minutes_view
from series_cases.stale import frozen
from series_views import ts_of, with_bars
from tape_series import SYMBOLS, found_on, tape_view

from chandlery.market.symbols import AssetClass
from chandlery.quality.series.registry import SERIES_RULES

STILL, EMPTY = SERIES_RULES["price_does_not_stand_still"], SERIES_RULES["day_shows_trades"]
PRICES = ("open", "high", "low", "close")


@pytest.mark.parametrize("name", list(SYMBOLS))
def test_no_price_of_the_tapes_stands_still(name: str) -> None:
    assert STILL.judge(tape_view(name)).is_empty()


def test_day_of_general_electric_without_a_trade_is_suspected() -> None:
    hits = EMPTY.judge(tape_view("us_daily/GE"))
    assert hits.select("session", "verdict").rows() == [(date(1962, 11, 9), "suspected")]
    for name in ("AAPL", "BA", "EBAY", "yahoo_AAPL", "yahoo_SPY"):
        assert EMPTY.judge(tape_view(f"us_daily/{name}")).is_empty()


def test_symbol_that_hardly_moves_is_not_judged() -> None:
    # Two of three bars repeat the one before: a run of 30 is its habit.
    view = minutes_view()
    steps = [(pl.col(name).gather((pl.int_range(pl.len()) // 40) * 40)).alias(name) for name in PRICES]
    assert STILL.judge(with_bars(view, view.bars.with_columns(steps))).is_empty()


def test_frozen_index_is_found_though_it_has_no_volume() -> None:
    view = minutes_view(AssetClass.INDICES)
    start, end = ts_of(view, 4, 100), ts_of(view, 4, 160)
    still = frozen(view, pl.col("ts") == start, pl.col("ts").is_between(start, end), *PRICES)
    hits = STILL.judge(still)
    assert hits.select("ts", "ts_end").rows() == [(start, ts_of(view, 4, 161))]


def test_fillers_do_not_stand_still() -> None:
    view = minutes_view()
    here = pl.col("ts").is_between(ts_of(view, 4), ts_of(view, 4, 99))
    still = frozen(view, pl.col("ts") == ts_of(view, 4), here, *PRICES)
    empty = pl.when(here).then(0.0).otherwise("volume")
    assert found_on(STILL.judge(with_bars(still, still.bars.with_columns(volume=empty)))) == []
