"""Share bases inside real series."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest
import series_views
from price_tapes import DAYS, day_view, excerpts, split, with_split

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES

RULE = SERIES_RULES["series_has_one_share_basis"]


@pytest.mark.parametrize("name", DAYS)
def test_real_series_have_one_basis(name: str) -> None:
    assert RULE.judge(day_view(name)).is_empty()


@pytest.mark.parametrize("ratio", [Fraction(3, 2), Fraction(2), Fraction(7), Fraction(1, 10)])
def test_split_missing_before_a_day_of_divided_prices_is_found_wherever_it_lies(ratio: Fraction) -> None:
    count, missed = 25, 0
    for place, (view, ts) in enumerate(excerpts(count, seed=26)):
        at = view.bars["ts"].index_of(ts)
        assert at is not None
        record = split(view.bars["ts"][at + place % 13 - 6].date(), ratio)
        late = replace(with_split(view, ts, ratio), actions=(record,), is_split_adjusted=True)
        hits = RULE.judge(late).filter(pl.col("verdict").is_in(["confirmed", "suspected"]))
        missed += hits.select("ts", "ts_end").rows() != [(view.bars["ts"][0], ts)]
    assert missed <= 0.1 * count


def test_one_real_day_off_by_the_ratio_is_confirmed() -> None:
    count, missed = 60, 0
    for view, ts in excerpts(count, seed=27):
        at = view.bars["ts"].index_of(ts)
        assert at is not None
        record = split(view.bars["ts"][at + 2].date(), Fraction(1, 10))
        broken = series_views.with_scaled(view, pl.col("ts") == ts, price=0.1, volume=10.0)
        hits = RULE.judge(replace(broken, actions=(record,), is_split_adjusted=True))
        missed += hits.select("ts", "verdict").rows() != [(ts, "confirmed")]
    assert missed <= 0.05 * count


def test_jump_off_its_day_is_confirmed_by_a_source_that_jumps_on_it() -> None:
    view = series_views.clean_view(Timeframe.D1)
    four = Fraction(4)
    day, early = series_views.ts_of(view, 10), series_views.ts_of(view, 7)
    right, wrong = with_split(view, day, four), with_split(view, early, four)
    record = split(day.date(), four)
    assert RULE.judge(replace(wrong, actions=(record,)))["verdict"].to_list() == ["suspected"]
    vendor = series_views.by_session(right).with_columns(pl.col("close") * 1.0003)
    judged = RULE.judge(replace(wrong, actions=(record,), witnesses={"vendor": vendor}))
    assert judged["verdict"].to_list() == ["confirmed"]
    assert judged.select("ts", "ts_end").rows() == [(early, day)]


def test_correct_series_is_silent_both_as_traded_and_divided() -> None:
    view = series_views.clean_view(Timeframe.D1)
    ts = series_views.ts_of(view, 10)
    record = split(ts.date(), Fraction(4))
    assert RULE.judge(replace(with_split(view, ts, Fraction(4)), actions=(record,))).is_empty()
    assert RULE.judge(replace(view, actions=(record,), is_split_adjusted=True)).is_empty()
