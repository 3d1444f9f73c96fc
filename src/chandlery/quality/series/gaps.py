"""Minutes that are not there though the instrument usually has them, and the holes they form."""

import polars as pl

from chandlery.market.bars import TS
from chandlery.quality.series._habits import TRADES_EVERY_MINUTE, expected_sessions, habits, traded
from chandlery.quality.series.view import SeriesView

SPAN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "ts_end": TS,
    "session": pl.Date,
    "last_session": pl.Date,
    "minutes": pl.Int64,
}
"""One row a hole `[ts, ts_end)`; around the clock it may reach into later sessions."""


def missing_minutes(view: SeriesView) -> pl.DataFrame:
    """Return the regular minutes an instrument should have and has not, as `ts` ascending.

    For the sessions of `[start, end)` that were asked for. An instrument that trades every minute (median share of
    its 20 sessions before at least 95 %) misses every minute without a trade, fillers being none; one whose source
    publishes a bar for every minute, traded or not, misses those without a bar; any other instrument misses none.
    """
    return _missing(view, _judged(view)).select("ts")


def missing_spans(view: SeriesView) -> pl.DataFrame:
    """Return the contiguous holes of `missing_minutes`, in `SPAN_SCHEMA`, ascending."""
    return spans(_missing(view, _judged(view)))


def holes(view: SeriesView) -> pl.DataFrame:
    """Return the holes without any bar, not even a filler, in `SPAN_SCHEMA` with `usual_*` of the first session.

    Of the whole view, so that a hole that began before `start` keeps its beginning.
    """
    return spans(_missing(view, expected_sessions(view), fillers_count=True))


def spans(minutes: pl.DataFrame) -> pl.DataFrame:
    """Return minutes (`ts` ascending, `session`) as the holes they form, in `SPAN_SCHEMA`."""
    if minutes.is_empty():
        return pl.DataFrame(schema=SPAN_SCHEMA)
    starts = (pl.col("ts") != pl.col("ts").shift(1) + pl.duration(minutes=1)).fill_null(value=True)
    return (
        minutes.with_columns(hole=starts.cum_sum())
        .group_by("hole", maintain_order=True)
        .agg(
            pl.col("ts").first(),
            (pl.col("ts").last() + pl.duration(minutes=1)).alias("ts_end"),
            pl.col("session").first(),
            pl.col("session").last().alias("last_session"),
            pl.len().cast(pl.Int64).alias("minutes"),
        )
        .select(*SPAN_SCHEMA)
    )


def minutes_without(sessions: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Return the regular minutes of sessions (of the calendar) that no bar has: `ts` ascending, `session`."""
    grid = pl.datetime_ranges("open", "close", interval="1m", closed="left", time_unit="us", time_zone="UTC")
    return (
        sessions.select("session", ts=grid)
        .explode("ts", empty_as_null=False)
        .join(bars.select("ts"), on="ts", how="anti", maintain_order="left")
        .select("ts", "session")
        .sort("ts")
    )


def _judged(view: SeriesView) -> pl.DataFrame:
    inside = (pl.col("session") >= view.start) & (pl.col("session") < view.end)
    return expected_sessions(view).filter(inside)


def _missing(view: SeriesView, sessions: pl.DataFrame, *, fillers_count: bool = False) -> pl.DataFrame:
    state = habits(view).join(sessions.select("session"), on="session", how="semi", maintain_order="left")
    by_trades = pl.lit(value=False) if fillers_count else pl.col("usual_traded") >= TRADES_EVERY_MINUTE
    by_bars = pl.col("usual_present") >= TRADES_EVERY_MINUTE
    strict = state.filter(by_trades & (pl.col("traded") < pl.col("minutes")))
    loose = state.filter(~by_trades & by_bars & (pl.col("present") < pl.col("minutes")))
    if strict.is_empty() and loose.is_empty():
        return pl.DataFrame(schema={"ts": TS, "session": pl.Date})
    days = pl.concat([strict["session"], loose["session"]])
    near = view.marked.filter(pl.col("is_regular") & pl.col("session").is_in(days.implode()))
    found = [minutes_without(loose, near)]
    if strict.height:
        found.append(minutes_without(strict, traded(view)))
    return pl.concat(found).sort("ts")
