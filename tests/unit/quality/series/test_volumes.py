"""Volumes far from their habit."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import polars as pl
from series_cases.completeness import day, day_view, minutes_view
from series_views import by_session, clean_view, ts_of, with_bars, with_scaled
from tape_series import found_on, read_tape, tape_view

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.series.view import SeriesView

RULE = SERIES_RULES["volume_keeps_its_habit"]


def splits_of(name: str) -> tuple[Action, ...]:
    """The splits of a daily tape, as its publisher recorded them."""
    found = []
    for session, ratio in read_tape(name).filter(pl.col("split_ratio") != 1).select("session", "split_ratio").rows():
        exact = Fraction(ratio).limit_denominator(100)
        found.append(
            Action(
                kind=ActionKind.SPLIT,
                ex_date=session,
                status=Status.ACCEPTED,
                evidence={},
                source="tape",
                split_from=exact.denominator,
                split_to=exact.numerator,
            )
        )
    return tuple(found)


def verdicts(view: SeriesView) -> list[tuple[date, str]]:
    return RULE.judge(view).select("session", "verdict").rows()


def test_days_with_far_too_little_volume_are_found_and_the_crash_is_true() -> None:
    assert verdicts(tape_view("us_daily/AAPL", actions=splits_of("us_daily/AAPL"))) == [
        (date(1983, 1, 11), "confirmed"),
        (date(1992, 7, 27), "confirmed"),
        (date(2000, 9, 29), "true_move"),
    ]
    assert verdicts(tape_view("us_daily/GE", actions=splits_of("us_daily/GE"))) == [(date(1990, 12, 28), "suspected")]


def test_fifty_years_of_boeing_and_the_other_days_raise_no_alarm() -> None:
    for name in ("BA", "EBAY"):
        assert verdicts(tape_view(f"us_daily/{name}", actions=splits_of(f"us_daily/{name}"))) == []
    for name in ("yahoo_AAPL", "yahoo_SPY"):
        assert verdicts(tape_view(f"us_daily/{name}")) == []


def test_ten_of_18330_minutes_stand_out_and_all_of_them_are_true() -> None:
    # market-data.md, check 13: "10 of 18,330 RTH minutes fire".
    found = [verdicts(tape_view(f"us_minute/{name}")) for name in ("AAPL", "MSFT", "SPY_2011-01")]
    assert [len(rows) for rows in found] == [2, 5, 3]
    assert {verdict for rows in found for _, verdict in rows} == {"true_move"}


def test_dust_trades_of_a_coin_are_its_habit() -> None:
    assert verdicts(tape_view("crypto_minute/X_BTCUSD_bitfinex_2016")) == [(date(2016, 2, 20), "true_move")]


def test_index_has_no_volume_to_judge() -> None:
    assert not RULE.applies_to(minutes_view(AssetClass.INDICES))


def test_split_that_is_not_recorded_is_no_single_day() -> None:
    # After the change every day trades 30 times what it did: only the first days are compared with those before.
    view = day_view()
    split = with_scaled(view, pl.col("session") >= day(view, 4), volume=30.0)
    assert set(RULE.judge(split)["verdict"]) == {"true_move"}


def test_thin_half_day_is_explained() -> None:
    view = clean_view(Timeframe.D1, lookback=50, judged=20)
    half = date(2012, 11, 23)
    assert half >= view.start
    assert verdicts(with_scaled(view, pl.col("session") == half, volume=0.02)) == [(half, "explained")]


def test_closing_auction_of_a_half_day_and_of_an_option_expiry_are_explained() -> None:
    view = clean_view(Timeframe.M1, lookback=20, judged=45)
    half, expiry = date(2012, 11, 23), date(2012, 10, 19)
    last = pl.col("ts").is_in(view.sessions["close"].dt.offset_by("-1m").implode())
    auctions = with_scaled(view, last & pl.col("session").is_in([half, expiry]), volume=60.0)
    assert verdicts(auctions) == [(expiry, "explained"), (half, "explained")]
    plain = with_scaled(view, last & (pl.col("session") == date(2012, 10, 18)), volume=60.0)
    assert verdicts(plain) == [(date(2012, 10, 18), "suspected")]


def test_witness_that_is_the_same_feed_says_nothing() -> None:
    view = day_view()
    wrong = with_scaled(view, pl.col("session") == day(view, 4), volume=80.0)
    same = replace(wrong, witnesses={"mirror": by_session(wrong)})
    assert verdicts(same) == [(day(view, 4), "suspected")]
    other = by_session(view).with_columns(volume=pl.col("volume") * 1.1)
    assert verdicts(replace(wrong, witnesses={"vendor": other})) == [(day(view, 4), "confirmed")]
    busy = by_session(wrong).with_columns(volume=pl.col("volume") * 1.1)
    assert verdicts(replace(wrong, witnesses={"vendor": busy})) == [(day(view, 4), "true_move")]


def test_minutes_confirm_or_refute_the_volume_of_a_day() -> None:
    view = day_view()
    length = view.sessions.select("session", minutes=(pl.col("close") - pl.col("open")).dt.total_minutes())
    wrong = with_scaled(view, pl.col("session") == day(view, 4), volume=80.0)

    def minutes_of(days: SeriesView, share: float) -> pl.DataFrame:
        rolled = by_session(days).join(length, on="session", maintain_order="left")
        return rolled.with_columns(bars=(share * pl.col("minutes")).cast(pl.Int64), volume=0.8 * pl.col("volume")).drop(
            "minutes"
        )

    assert verdicts(replace(wrong, other=minutes_of(view, 1.0))) == [(day(view, 4), "confirmed")]
    assert verdicts(replace(wrong, other=minutes_of(wrong, 1.0))) == [(day(view, 4), "true_move")]
    assert verdicts(replace(wrong, other=minutes_of(view, 0.5))) == [(day(view, 4), "suspected")]


def test_moving_market_speaks_for_a_busy_day() -> None:
    view = day_view()
    wrong = with_scaled(view, pl.col("session") == day(view, 4), volume=80.0)
    here = pl.col("session") == day(view, 4)
    sisters = view.sessions.select(
        "session",
        median_return=pl.when(here).then(-0.06).otherwise(0.005),
        instruments=pl.lit(8, dtype=pl.Int64),
    )
    assert verdicts(replace(wrong, sisters=sisters)) == [(day(view, 4), "true_move")]


def test_thick_session_is_one_finding_over_its_bars() -> None:
    view = minutes_view()
    thick = RULE.judge(with_scaled(view, pl.col("session") == day(view, 4), volume=80.0))
    assert thick.select("ts", "ts_end").rows() == [(ts_of(view, 4), ts_of(view, 4) + timedelta(minutes=390))]


def test_market_of_wild_volumes_is_measured_in_its_own_terms() -> None:
    # Log-normal volumes of deviation 1.5: 20 times is 2 deviations, one minute in 22.
    view = minutes_view()
    wild = np.exp(np.random.default_rng(3).normal(5.0, 1.5, view.bars.height))
    assert RULE.judge(with_bars(view, view.bars.with_columns(volume=pl.Series(wild)))).height <= 2
    assert found_on(RULE.judge(with_bars(view, view.bars))) == []


def thin_days(*, seed: int = 11) -> SeriesView:
    """Days of a thin symbol: log-normal volumes of deviation 1.5, one day in ten without a trade."""
    view = clean_view(Timeframe.D1, lookback=60, judged=600)
    random = np.random.default_rng(seed)
    volume = np.round(np.exp(random.normal(9.0, 1.5, view.bars.height)))
    empty = pl.Series(random.random(view.bars.height) < 0.1)
    before = pl.col("close").shift(1).fill_null(pl.col("close"))
    flat = [pl.when(empty).then(before).otherwise(name).alias(name) for name in ("open", "high", "low", "close")]
    bars = view.bars.with_columns(volume=pl.Series(volume)).with_columns(
        *flat, volume=pl.when(empty).then(0.0).otherwise("volume")
    )
    return with_bars(view, bars)


def test_thin_symbol_is_never_confirmed_to_have_traded_too_little_or_on_an_empty_day() -> None:
    view = thin_days()
    assert RULE.judge(view).filter(pl.col("verdict") == "confirmed").is_empty()
    # 600 days, 60 of them empty; of 20-day spreads that chance makes small, few are left.
    assert RULE.judge(view).height <= 6
    assert SERIES_RULES["day_shows_trades"].judge(view).height <= 3
