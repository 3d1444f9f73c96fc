"""Adjusted prices and quality scores against the tapes themselves."""

from datetime import date
from fractions import Fraction
from statistics import median
from typing import Any

import polars as pl
import pytest

# Of the tape's `split_ratio` column; 1985-09-27 was no session, so that row is no price.
SPLITS = [(date(1987, 6, 16), 2), (date(2000, 6, 21), 2), (date(2005, 2, 28), 2)]
NO_SESSION = date(1985, 9, 27)


def prices(mart: Any) -> pl.DataFrame:
    columns = ("session", "raw_close", "open", "high", "low", "close", "volume", "split_factor", "return_1d")
    rows = mart.rows(f"select {', '.join(columns)} from marts.prices_daily where symbol = 'AAPL' order by session")
    return pl.DataFrame(rows, schema=list(columns), orient="row")


def test_volume_equals_the_vendors_adjusted_volume_exactly(mart: Any) -> None:
    tape = mart.days.filter(pl.col("session") != NO_SESSION).sort("session")
    assert mart.days.filter(pl.col("split_ratio") != 1).select("session", "split_ratio").rows() == SPLITS
    assert prices(mart)["session"].to_list() == tape["session"].to_list()
    assert prices(mart)["volume"].to_list() == tape["adj_volume"].to_list()


def test_prices_are_the_raw_ones_times_an_exact_ratio(mart: Any) -> None:
    adjusted = prices(mart)
    assert adjusted.height == 8335
    for session, raw, close, factor in adjusted.select("session", "raw_close", "close", "split_factor").iter_rows():
        ratio = Fraction(1)
        for day, to in SPLITS:
            ratio /= to if session < day else 1
        assert Fraction(factor) == ratio
        assert Fraction(close) == Fraction(raw) * ratio


def test_return_across_a_split_is_the_economic_one(mart: Any) -> None:
    returns = dict(prices(mart).select("session", "return_1d").iter_rows())
    tape = dict(mart.days.select("session", "close").iter_rows())
    assert returns[date(1980, 12, 12)] is None
    before, after = tape[date(2005, 2, 25)], tape[date(2005, 2, 28)]
    assert returns[date(2005, 2, 28)] == pytest.approx(2 * after / before - 1, rel=1e-12)


def test_day_bars_are_served_unadjusted_and_apart_from_minutes(mart: Any) -> None:
    query = (
        "select session, close, bar_count, expected_count, is_final from serving.candles_v1 "
        "where symbol = 'AAPL' and timeframe = '1d' and basis = 'day' order by ts"
    )
    tape = mart.days.filter(pl.col("session") != NO_SESSION).sort("session")
    assert mart.rows(query) == [(row[0], row[1], 1, 1, True) for row in tape.select("session", "close").iter_rows()]
    assert mart.rows("select distinct timeframe from serving.candles_v1 where basis = 'day'") == [("1d",)]


def test_complete_sessions_score_one(mart: Any) -> None:
    query = "select count(*), min(score), max(score) from serving.quality_v1 where symbol = %s and timeframe = '1m'"
    for symbol, count in (("AAPL", 21), ("MSFT", 21), ("SPY", 20)):
        assert mart.rows(query, symbol) == [(count, 1.0, 1.0)]


def test_index_bar_after_the_close_does_not_count(mart: Any) -> None:
    # I:SPX has 391 rows on three days; the 16:00 row is a closing print.
    query = "select bar_count, completeness from serving.quality_v1 where symbol = 'I:SPX'"
    assert mart.rows(query) == [(390, 1.0)] * 4


def test_bitcoin_completeness_is_traded_minutes_over_its_habit(mart: Any) -> None:
    bars = mart.minutes["X:BTCUSD"]
    filler = (pl.col("volume") == 0) & (pl.col("high") == pl.col("low")) & (pl.col("open") == pl.col("close"))
    counts = dict(bars.filter(~filler).group_by(pl.col("ts").dt.date()).agg(pl.len()).sort("ts").iter_rows())
    rows = mart.rows(
        "select session, bar_count, expected_count, completeness, score from serving.quality_v1 "
        "where symbol = 'X:BTCUSD' order by 1"
    )
    # 2016-02-09..04-19, also the days of the outages.
    assert len(rows) == 71
    traded = sorted(counts)
    for session, bar_count, expected_count, completeness, score in rows:
        assert bar_count == counts.get(session, 0)
        # Check 17: the median of the 20 sessions with trades before; of the first 20 where fewer than 5 came before.
        before = [counts[day] / 1440 for day in traded if day < session][-20:]
        usual = median(before if len(before) >= 5 else [counts[day] / 1440 for day in traded[:20]])
        expected = 1440 if usual >= 0.95 or bar_count == 1440 else max(1, round(1440 * usual))
        assert expected_count == expected, session
        assert completeness == min(1.0, bar_count / expected)
        assert 0 < score <= 1
    assert sum(counts.values()) == bars.height - 18_362


def test_candles_carry_the_score_of_their_bars(mart: Any) -> None:
    # A week carries its worst session's score; days without a candle still count in it.
    worst = (
        "select min(score) from serving.quality_v1 "
        "where symbol = 'X:BTCUSD' and timeframe = '1m' and session between %s and %s"
    )
    weeks = mart.rows(
        "select session, quality_score from serving.candles_v1 where symbol = 'X:BTCUSD' and timeframe = '1w'"
    )
    for monday, score in weeks:
        assert mart.rows(worst, monday, date.fromordinal(monday.toordinal() + 6)) == [(score,)]
    unequal = (
        "select count(*) from serving.candles_v1 as c join serving.quality_v1 as q using (symbol, session) "
        "where q.timeframe = '1m' and c.basis = 'minutes' and c.timeframe <> '1w' and c.quality_score <> q.score"
    )
    assert mart.rows(unequal) == [(0,)]


def test_constructed_half_day_expects_one_4h_candle_of_210_minutes(mart: Any) -> None:
    query = (
        "select ts::text, expected_count, is_final from serving.candles_v1 "
        "where symbol = 'CLOCK' and timeframe = %s and session = '2012-12-24' order by ts"
    )
    assert mart.rows(query, "4h") == [("2012-12-24 14:30:00+00", 210, True)]
    assert [row[1] for row in mart.rows(query, "1h")] == [60, 60, 60, 30]


def test_symbols_tell_what_there_is(mart: Any) -> None:
    query = "select symbol, first_session, last_session, bars_1m, bars_1d, source from serving.symbols_v1 order by 1"
    rows = {row[0]: row[1:] for row in mart.rows(query)}
    assert rows["AAPL"] == (date(1980, 12, 12), date(2016, 5, 13), 8190, 8335, "tape+wiki")
    assert rows["SPY"] == (date(2011, 1, 3), date(2011, 1, 31), 7800, 0, "tape")
