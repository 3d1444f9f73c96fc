"""Day bars that contradict their minutes."""

from dataclasses import replace
from datetime import date

import polars as pl
from quality_cases import BrokenSeries
from series_views import by_session, clean_view, ts_of

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView
from chandlery.quality.verdicts import Verdict


def with_minutes(view: SeriesView, *, share: float = 1.0) -> SeriesView:
    """Return day bars with the roll-up of regular minutes that hold 80 % of the volume, and of all minutes.

    Extended hours reach 0.2 % beyond the day's high and low and hold the rest of the volume.
    """
    days = by_session(view)
    expected = view.sessions.select("session", bars=(pl.col("close") - pl.col("open")).dt.total_minutes())
    minutes = days.drop("bars").join(expected, on="session", maintain_order="left")
    regular = minutes.with_columns(volume=0.8 * pl.col("volume"), bars=(share * pl.col("bars")).cast(pl.Int64))
    wider = minutes.with_columns(
        high=1.002 * pl.col("high"), low=0.998 * pl.col("low"), bars=pl.col("bars").cast(pl.Int64) + 300
    )
    return replace(view, other=regular, other_extended=wider)


def with_other(view: SeriesView, session: date, *, extended: bool = False, **factors: float) -> SeriesView:
    """Return the view with figures of one rolled-up session times a factor."""
    place = pl.col("session") == session
    changed = [
        pl.when(place).then(pl.col(name) * factor).otherwise(pl.col(name)).alias(name)
        for name, factor in factors.items()
    ]
    if extended:
        return replace(view, other_extended=view.other_extended.with_columns(changed))
    return replace(view, other=view.other.with_columns(changed))


def witness_of(view: SeriesView, *, seed: int = 3) -> pl.DataFrame:
    """Return the days as an independent vendor has them: prices 2 bps off at random, as closes of vendors are."""
    days = by_session(view)
    noise = pl.Series([(-1.0) ** place * (1 + (place * seed) % 5) * 0.5e-4 for place in range(days.height)])
    return days.with_columns([pl.col(name) * (1 + noise) for name in ("open", "high", "low", "close")])


def _cases() -> tuple[BrokenSeries, ...]:
    view = with_minutes(clean_view(Timeframe.D1, judged=10))
    ts = ts_of(view, 4)
    session = ts_session(view, 4)
    # The regular low lies 50 bps above the day's: extended hours reach 20 bps below the day's own low.
    shallow = with_other(view, session, low=1.005)
    # No minute of any hours reaches the day's low.
    unreached = with_other(shallow, session, extended=True, low=1.005)
    unseen = replace(shallow, other_extended=view.other_extended.clear())
    short = with_other(view, session, volume=0.5)
    broken = with_other(view, session, high=1.004)
    sided = replace(broken, witnesses={"vendor": witness_of(view)})
    wrong_day = replace(view, bars=broken_day(view, session))
    right_witness = replace(wrong_day, witnesses={"vendor": witness_of(view)})
    return (
        BrokenSeries(shallow, (ts,), Verdict.EXPLAINED),
        BrokenSeries(unreached, (ts,), Verdict.CONFIRMED),
        BrokenSeries(unseen, (ts,), Verdict.SUSPECTED),
        BrokenSeries(short, (ts,), Verdict.EXPLAINED),
        BrokenSeries(replace(short, other_extended=view.other_extended.clear()), (ts,), Verdict.SUSPECTED),
        BrokenSeries(broken, (ts,), Verdict.SUSPECTED),
        BrokenSeries(sided, (ts,), Verdict.TRUE_MOVE),
        BrokenSeries(right_witness, (ts,), Verdict.CONFIRMED),
    )


def ts_session(view: SeriesView, place: int) -> date:
    """Return the `place`-th judged session."""
    return view.sessions.filter((pl.col("session") >= view.start) & (pl.col("session") < view.end))["session"][place]


def broken_day(view: SeriesView, session: date) -> pl.DataFrame:
    """Return the day bars with one high 40 bps below what minutes reached; the body stays covered."""
    place = view.session_date() == session
    high = pl.max_horizontal(0.996 * pl.col("high"), "open", "close")
    return view.bars.with_columns(pl.when(place).then(high).otherwise("high").alias("high"))


CASES = {"day_bar_agrees_with_its_minutes": _cases()}
