"""Sessions, minutes and days that are not there."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
from quality_cases import BrokenSeries
from series_views import by_session, clean_view, ts_of, with_bars, without

from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict


def minutes_view(asset_class: AssetClass = AssetClass.STOCKS) -> SeriesView:
    """Return a minute series of 20 sessions of history and 10 to judge."""
    return clean_view(Timeframe.M1, asset_class, lookback=25 if asset_class is AssetClass.STOCKS else 22, judged=10)


def day_view(asset_class: AssetClass = AssetClass.STOCKS) -> SeriesView:
    """Return a day series of 60 sessions of history and 10 to judge."""
    return clean_view(Timeframe.D1, asset_class, judged=10)


def day(view: SeriesView, place: int) -> date:
    """Return the `place`-th judged session."""
    judged = view.sessions.filter((pl.col("session") >= view.start) & (pl.col("session") < view.end))
    found: date = judged["session"][place]
    return found


def without_sessions(view: SeriesView, *places: int) -> SeriesView:
    """Return the view without all bars of judged sessions."""
    return without(view, pl.col("session").is_in([day(view, place) for place in places]))


def halted(view: SeriesView, start: datetime, end: datetime) -> SeriesView:
    """Return the view with a halt of its instrument."""
    halt = SessionException(view.instrument.calendar, ExceptionKind.HALT, start, end, "news pending", 1)
    return replace(view, exceptions=(halt,))


def with_sisters(view: SeriesView) -> SeriesView:
    """Return the view with four sisters that traded on every session."""
    sisters = view.sessions.select("session", median_return=pl.lit(0.001), instruments=pl.lit(4, dtype=pl.Int64))
    return replace(view, sisters=sisters)


def with_fillers(view: SeriesView, share: int = 3) -> SeriesView:
    """Return the view with every `share`-th minute a filler, as venues publish that report untraded minutes."""
    is_filler = pl.int_range(pl.len()) % share == 0
    flat = [pl.when(is_filler).then("open").otherwise(name).alias(name) for name in ("high", "low", "close")]
    return with_bars(view, view.bars.with_columns(*flat, volume=pl.when(is_filler).then(0.0).otherwise("volume")))


def _missing_sessions() -> tuple[BrokenSeries, ...]:
    days, minutes = day_view(), minutes_view()
    one, three = without_sessions(days, 4), without_sessions(days, 2, 3, 4, 7)
    hole = without_sessions(minutes, 4)
    opens, closes = ts_of(minutes, 4), ts_of(minutes, 4) + timedelta(minutes=390)
    coin = day_view(AssetClass.CRYPTO)
    held = replace(one, held=(ts_of(days, 4),))
    return (
        BrokenSeries(one, (ts_of(days, 4),), Verdict.SUSPECTED),
        BrokenSeries(three, (ts_of(days, 2), ts_of(days, 7)), Verdict.SUSPECTED),
        BrokenSeries(without_sessions(days, -1), (ts_of(days, -1),), Verdict.SUSPECTED),
        BrokenSeries(without_sessions(coin, 3), (ts_of(coin, 3),), Verdict.SUSPECTED),
        BrokenSeries(with_sisters(one), (ts_of(days, 4),), Verdict.CONFIRMED),
        BrokenSeries(replace(one, other=by_session(days)), (ts_of(days, 4),), Verdict.CONFIRMED),
        BrokenSeries(replace(one, witnesses={"vendor": by_session(days)}), (ts_of(days, 4),), Verdict.CONFIRMED),
        BrokenSeries(held, (ts_of(days, 4),), Verdict.CONFIRMED),
        BrokenSeries(hole, (opens,), Verdict.SUSPECTED),
        BrokenSeries(replace(hole, other=by_session(minutes)), (opens,), Verdict.CONFIRMED),
        BrokenSeries(with_sisters(halted(hole, opens, closes)), (opens,), Verdict.EXPLAINED),
        BrokenSeries(replace(one, listed_on=day(days, 5)), (), Verdict.SUSPECTED),
        BrokenSeries(replace(without_sessions(days, 8, 9), delisted_on=day(days, 8)), (), Verdict.SUSPECTED),
        BrokenSeries(replace(one, asked=days.asked.filter(days.asked != day(days, 4))), (), Verdict.SUSPECTED),
    )


def _missing_minutes() -> tuple[BrokenSeries, ...]:
    view = minutes_view()
    here, session = pl.col("session") == day(view, 4), day(view, 4)
    # 20 of 390 minutes are 5.1 %, one more than a session may lack.
    short = without(view, here & pl.col("minute").is_between(100, 119))
    enough = without(view, here & pl.col("minute").is_between(100, 118))
    ts = ts_of(view, 4, 100)
    lost = [ts + timedelta(minutes=minute) for minute in range(20)]
    low = by_session(view).with_columns(
        low=pl.when(pl.col("session") == session).then(pl.col("low") * 0.99).otherwise("low")
    )
    coin = with_fillers(minutes_view(AssetClass.CRYPTO))
    outage = without(coin, (pl.col("session") == day(coin, 4)) & pl.col("minute").is_between(600, 800))
    index = minutes_view(AssetClass.INDICES)
    late = without(view, here & (pl.col("minute") < 60))
    return (
        BrokenSeries(short, (ts,), Verdict.SUSPECTED),
        BrokenSeries(enough, (), Verdict.SUSPECTED),
        BrokenSeries(halted(short, ts, ts + timedelta(minutes=20)), (ts,), Verdict.EXPLAINED),
        BrokenSeries(replace(short, held=tuple(lost)), (ts,), Verdict.CONFIRMED),
        BrokenSeries(replace(short, other=low), (ts,), Verdict.CONFIRMED),
        BrokenSeries(replace(short, other=by_session(view)), (ts,), Verdict.SUSPECTED),
        BrokenSeries(outage, (ts_of(coin, 4, 600),), Verdict.SUSPECTED),
        BrokenSeries(
            without(index, (pl.col("session") == day(index, 2)) & (pl.col("minute") >= 300)),
            (ts_of(index, 2, 300),),
            Verdict.SUSPECTED,
        ),
        BrokenSeries(replace(late, listed_on=session), (ts_of(view, 4),), Verdict.EXPLAINED),
    )


def _holes() -> tuple[BrokenSeries, ...]:
    view, coin = minutes_view(), minutes_view(AssetClass.CRYPTO)
    filled = with_fillers(coin)
    one = without(view, (pl.col("session") == day(view, 4)) & (pl.col("minute") == 200))
    night = without(filled, pl.col("ts").is_between(ts_of(coin, 3, 1400), ts_of(coin, 5, 30)))
    ts = ts_of(view, 4, 200)
    return (
        BrokenSeries(one, (ts,), Verdict.SUSPECTED),
        BrokenSeries(replace(one, held=(ts,)), (ts,), Verdict.CONFIRMED),
        BrokenSeries(halted(one, ts, ts + timedelta(minutes=1)), (ts,), Verdict.EXPLAINED),
        BrokenSeries(night, (ts_of(coin, 3, 1400),), Verdict.SUSPECTED),
        BrokenSeries(with_sisters(night), (ts_of(coin, 3, 1400),), Verdict.CONFIRMED),
        BrokenSeries(without_sessions(view, 4), (), Verdict.SUSPECTED),
    )


CASES = {
    "session_has_its_bar": _missing_sessions(),
    "session_is_complete": _missing_minutes(),
    "session_has_no_hole": _holes(),
}
