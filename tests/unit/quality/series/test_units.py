"""Which of two units is right, and what is no unit at all."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest
import series_views
from price_tapes import DAYS, day_view, excerpts, split, with_split
from tape_series import tape_view

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES

RULE = SERIES_RULES["prices_keep_their_unit"]


@pytest.mark.parametrize("name", [*DAYS, "us_minute/AAPL", "crypto_minute/X_BTCUSD_bitfinex_2016"])
def test_no_real_series_changes_its_unit(name: str) -> None:
    assert RULE.judge(day_view(name) if name in DAYS else tape_view(name)).is_empty()


@pytest.mark.parametrize("factor", [100.0, 0.01, 1000.0, 0.001])
def test_block_of_any_unit_in_real_days_is_confirmed_whole(factor: float) -> None:
    missed = 0
    for view, ts in excerpts(25, seed=23):
        place = view.bars["ts"].index_of(ts)
        assert place is not None
        last = view.bars["ts"][place + 3]
        hits = RULE.judge(series_views.with_scaled(view, pl.col("ts").is_between(ts, last), price=factor))
        spans = hits.filter(pl.col("verdict") == "confirmed").select("ts", "ts_end").rows()
        missed += not (len(spans) == 1 and spans[0][0] == ts and last < spans[0][1] <= view.bars["ts"][place + 4])
    assert missed <= 1


def test_bars_with_trades_decide_which_unit_is_right() -> None:
    # 50 stale quotes in pounds without a trade, 30 bars in pence with trades.
    view = series_views.clean_view(Timeframe.D1)
    stale = pl.col("ts") < view.bars["ts"][50]
    broken = series_views.with_scaled(view, stale, price=0.01, volume=0.0)
    hit = RULE.judge(broken).row(0, named=True)
    assert hit["ts"] == view.bars["ts"][0]
    assert '"decided_by": "trades"' in hit["evidence"]


def test_recorded_hundredfold_split_is_no_change_of_unit() -> None:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 7)
    merged = with_split(view, ts, Fraction(1, 100))
    assert RULE.judge(merged).height == 1
    assert RULE.judge(replace(merged, actions=(split(ts.date(), Fraction(1, 100)),))).is_empty()


def test_fiftyfold_price_is_no_unit() -> None:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 7)
    assert RULE.judge(series_views.with_scaled(view, pl.col("ts") == ts, price=55)).is_empty()
