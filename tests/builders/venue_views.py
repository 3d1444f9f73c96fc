"""Venues to judge: twelve instruments of which none misses a bar and all came in time, and ways to break them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import polars as pl

from chandlery.market.calendar import sessions
from chandlery.market.timeframes import Timeframe
from chandlery.quality.venue.view import COUNT_SCHEMA, MEMBER_SCHEMA, MISSING_SCHEMA, VenueView

FIRST = date(2012, 10, 22)
"""The storm of 29 and 30 October and the half day of 23 November lie inside."""
MEMBERS = 12


@cache
def clean_venue(
    timeframe: Timeframe = Timeframe.D1, calendar: str = "NYSE", *, judged: int = 5, members: int = MEMBERS
) -> VenueView:
    """Return a venue with 20 sessions of history, `judged` ones to judge, and two more without bars.

    `now` is a minute after the last judged session fell due; the ones after it are not due yet.
    """
    days = sessions(calendar, FIRST, FIRST + timedelta(days=3 * (22 + judged))).head(22 + judged)
    past = days.head(20 + judged)
    start, end = past["session"][20], past["session"][-1] + timedelta(days=1)
    minutes = (pl.col("close") - pl.col("open")).dt.total_minutes()
    bars = minutes if timeframe is Timeframe.M1 else pl.lit(1)
    first = pl.col("open") if timeframe is Timeframe.M1 else pl.col("day_ts")
    last = pl.col("close") - timedelta(minutes=1) if timeframe is Timeframe.M1 else pl.col("day_ts")
    table = pl.DataFrame(
        [
            (number, f"S{number:02d}", date(2000, 1, 3), None, datetime(2012, 1, 1, tzinfo=UTC), None)
            for number in range(1, members + 1)
        ],
        schema=MEMBER_SCHEMA,
        orient="row",
    )
    counted = table.select("instrument_id").join(
        past.select("session", bars=bars, last_ts=last, known_from=pl.col("close") + timedelta(hours=1), first=first),
        how="cross",
    )
    return VenueView(
        calendar=calendar,
        timeframe=timeframe,
        start=start,
        end=end,
        now=due_at(days, past["session"][-1]),
        sessions=days,
        members=table,
        counts=counted.select(pl.col(name).cast(dtype) for name, dtype in COUNT_SCHEMA.items()),
        missing=pl.DataFrame(schema=MISSING_SCHEMA),
    )


def due_at(days: pl.DataFrame, session: date) -> datetime:
    """Return an instant at which a session is due: a minute after the next opening, or around the clock its end."""
    after = days.filter(pl.col("session") > session).row(0, named=True)
    own = days.filter(pl.col("session") == session).row(0, named=True)
    due = after["open"] if after["open"] > own["close"] else after["close"]
    return due + timedelta(minutes=1)


def session_of(view: VenueView, place: int) -> date:
    """Return the `place`-th judged session, negative from the end."""
    return _judged(view)["session"][place]


def opening(view: VenueView, place: int, minute: int = 0) -> datetime:
    """Return a minute of the `place`-th judged session, counted from its opening."""
    return _judged(view)["open"][place] + timedelta(minutes=minute)


def first_ts(view: VenueView, place: int) -> datetime:
    """Return the instant at which the bars of a judged session begin."""
    return _judged(view)["day_ts" if view.timeframe is Timeframe.D1 else "open"][place]


def without_bars(view: VenueView, instruments: Collection[int], sessions_: Collection[date]) -> VenueView:
    """Return the venue without the bars of some instruments on some sessions."""
    gone = pl.col("instrument_id").is_in(list(instruments)) & pl.col("session").is_in(list(sessions_))
    return replace(view, counts=view.counts.filter(~gone))


def with_member(view: VenueView, instrument: int, **values: date | datetime | None) -> VenueView:
    """Return the venue with facts about one instrument replaced."""
    place = pl.col("instrument_id") == instrument
    changed = [
        pl.when(place).then(pl.lit(value, dtype=MEMBER_SCHEMA[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return replace(view, members=view.members.with_columns(changed))


def with_missing(view: VenueView, instruments: Collection[int], stamps: Collection[datetime]) -> VenueView:
    """Return the venue in which some instruments miss some minutes more."""
    rows = [(instrument, ts) for instrument in instruments for ts in stamps]
    return replace(view, missing=pl.concat([view.missing, pl.DataFrame(rows, schema=MISSING_SCHEMA, orient="row")]))


def _judged(view: VenueView) -> pl.DataFrame:
    return view.sessions.filter((pl.col("session") >= view.start) & (pl.col("session") < view.end))
