"""Rules on where a bar stands in time: grid, window, session."""

from datetime import time, timedelta

import numpy as np
import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import Severity, empty_offences
from chandlery.quality.rules.rule import Rule, offences
from chandlery.quality.verdicts import Verdict

_PRE_OPEN, _POST_CLOSE, _POST_CLOSE_EARLY = time(4), time(20), time(17)
"""Extended hours in New York; after an early close trading ends at 17:00."""
_CLOCK_CHANGES = 2
"""Hours around a local midnight in which a clock may be put forward or back."""


def _ts_is_on_grid(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    if context.timeframe is Timeframe.D1:
        off = context.local() != context.local().dt.truncate("1d")
    else:
        off = pl.col("ts") != pl.col("ts").dt.truncate("1m")
    return offences(bars, off, pl.col("ts").dt.to_string("iso:strict").alias("ts"))


def _bar_lies_in_its_window(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    day, near = context.session_date(), timedelta(hours=_CLOCK_CHANGES)
    since, until = context.first_instant() + near, context.end_instant() - near
    # Local dates of every bar cost more than all arithmetic of the other rules; only at the edges they decide.
    return offences(
        bars.filter(pl.col("ts").is_between(since, until, closed="left").not_()),
        (day < context.start) | (day >= context.end),
        day.cast(pl.String).alias("session"),
        pl.lit(str(context.start)).alias("start"),
        pl.lit(str(context.end)).alias("end"),
    )


def _bar_lies_in_a_session(bars: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    known = context.asked_sessions().select("session", "is_early")
    doubted = bars.filter(~_lies_inside(bars["ts"], _spans(known, context)))
    if doubted.is_empty():
        return empty_offences()
    placed = doubted.with_columns(session=context.session_date()).join(
        known, on="session", how="left", maintain_order="left"
    )
    # Outside the window nothing is known of sessions; that bar has its own rule.
    asked = (pl.col("session") >= context.start) & (pl.col("session") < context.end)
    off = pl.col("is_early").is_null()
    if context.timeframe is Timeframe.M1 and not context.never_closes:
        clock = context.local().dt.time()
        close = pl.when("is_early").then(_POST_CLOSE_EARLY).otherwise(_POST_CLOSE)
        off = off | (clock < _PRE_OPEN) | (clock >= close)
    return offences(placed, asked & off, context.local().dt.to_string("iso:strict").alias("local"))


def _spans(known: pl.DataFrame, context: AuditContext) -> pl.DataFrame:
    """Return the instants `[since, until)` in which no bar of a session is doubted, ascending."""
    day = pl.col("session")
    first, last = day.dt.combine(time(0)), day.dt.offset_by("1d").dt.combine(time(0))
    if context.timeframe is Timeframe.M1 and not context.never_closes:
        first = day.dt.combine(_PRE_OPEN)
        last = pl.when("is_early").then(day.dt.combine(_POST_CLOSE_EARLY)).otherwise(day.dt.combine(_POST_CLOSE))
    since, until = (
        local.dt.replace_time_zone(context.zone, ambiguous="null", non_existent="null") for local in (first, last)
    )
    return known.drop_nulls().select(since=since, until=until).drop_nulls()


def _lies_inside(stamps: pl.Series, spans: pl.DataFrame) -> pl.Series:
    """Tell of each ts whether it lies in one of the ascending spans; a missing one does not."""
    since, until = (spans[name].to_physical().to_numpy() for name in ("since", "until"))
    if not since.size:
        return pl.repeat(value=False, n=stamps.len(), dtype=pl.Boolean, eager=True)
    instants = stamps.to_physical().fill_null(np.iinfo(np.int64).min).to_numpy()
    place = np.searchsorted(since, instants, side="right") - 1
    return pl.Series((place >= 0) & (instants < until[np.maximum(place, 0)]))


RULES = (
    Rule(
        "ts_is_on_grid",
        5,
        Severity.CRITICAL,
        "A minute bar starts on a full minute, a day bar at local midnight.",
        _ts_is_on_grid,
    ),
    Rule(
        "bar_lies_in_its_window",
        6,
        Severity.CRITICAL,
        "The bar's exchange-local date is one that was asked for.",
        _bar_lies_in_its_window,
    ),
    Rule(
        "bar_lies_in_a_session",
        7,
        Severity.MAJOR,
        "The day is a session of the calendar; minutes of listed instruments lie in 04:00-20:00 New York "
        "(until 17:00 after an early close).",
        _bar_lies_in_a_session,
        verdict=Verdict.SUSPECTED,
    ),
)
