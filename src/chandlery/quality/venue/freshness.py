"""Bars that are not there although their deadline is over (check 25)."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.market.timeframes import Timeframe
from chandlery.quality.deadlines import FRESHNESS_MINUTES, deadlines
from chandlery.quality.findings import Severity
from chandlery.quality.series.rule import Hit
from chandlery.quality.venue.rule import VenueRule, venue_hits
from chandlery.quality.venue.view import VenueView
from chandlery.quality.verdicts import Says, Vote

_HABIT_SESSIONS = 20
_HABIT = 0.95
"""Share of the sessions before in which an instrument had bars, from which a session without any is no habit."""


def due_sessions(view: VenueView) -> pl.DataFrame:
    """Return instrument_id, symbol, session, open, close, deadline of all that was to be known by now, ascending.

    An instrument is owed the sessions it was listed for and its source can have.
    """
    minutes = view.value(FRESHNESS_MINUTES)
    known = deadlines(view.sessions, view.timeframe, freshness_minutes=minutes).drop("close")
    over = view.sessions.join(known, on="session").filter(pl.col("deadline") <= view.now)
    owed = over.select("session", "open", "close", "day_ts", "deadline").join(view.members, how="cross")
    day = pl.col("session")
    listed = pl.col("listed_on").is_null() | (day >= pl.col("listed_on"))
    listed &= pl.col("delisted_on").is_null() | (day < pl.col("delisted_on"))
    listed &= pl.col("ends_on").is_null() | (day <= pl.col("ends_on"))
    return owed.filter(listed).sort("instrument_id", "session")


def with_bars(view: VenueView) -> pl.DataFrame:
    """Return instrument_id, session of all sessions that have bars."""
    return view.counts.filter(pl.col("bars") > 0).select("instrument_id", "session").unique()


def _bars_are_fresh(view: VenueView) -> pl.DataFrame:
    due, present = due_sessions(view), with_bars(view)
    last = present.group_by("instrument_id").agg(last=pl.col("session").max())
    late = due.join(last, on="instrument_id", how="left", maintain_order="left").filter(
        pl.col("last").is_null() | (pl.col("session") > pl.col("last")),
        pl.col("tracked_from").is_null() | (pl.col("close") >= pl.col("tracked_from")),
    )
    if late.is_empty():
        return venue_hits(())
    runs = late.group_by("instrument_id", maintain_order=True).agg(
        pl.col("symbol", "day_ts", "open", "session", "deadline", "last").first(),
        ts_end=pl.col("close").last(),
        last_session=pl.col("session").last(),
        sessions=pl.col("session"),
    )
    habits = _habits(due.join(last, on="instrument_id").filter(pl.col("session") <= pl.col("last")), present)
    return venue_hits(
        (row["instrument_id"], _hit(view, row, habits.get(row["instrument_id"], 1.0)))
        for row in runs.iter_rows(named=True)
    )


def _habits(owed: pl.DataFrame, present: pl.DataFrame) -> Mapping[int, float]:
    """Return for each instrument the share of its last 20 owed sessions that have bars."""
    marked = owed.select("instrument_id", "session").join(
        present.with_columns(has_bars=True), on=["instrument_id", "session"], how="left", maintain_order="left"
    )
    share = pl.col("has_bars").fill_null(value=False).tail(_HABIT_SESSIONS).mean()
    return dict(marked.group_by("instrument_id").agg(share).iter_rows())


def _hit(view: VenueView, row: Mapping[str, object], habit: float) -> Hit:
    sessions: list[date] = row["sessions"]  # type: ignore[assignment]
    hours = view.sessions.filter(pl.col("session").is_in(sessions)).select("open", "close").rows()
    halted = all(any(_covers(view, item, row, *span) for item in view.exceptions) for span in hours)
    votes = []
    if halted:
        votes.append(Vote("halt", Says.EXPLAINED, {"sessions": len(hours)}))
    elif habit >= _HABIT:
        late = (view.now - row["deadline"]).total_seconds() / 3600  # type: ignore[operator]
        votes.append(Vote("calendar", Says.DEFECT, {"hours_over_the_deadline": round(late, 1)}))
    values = {
        "symbol": row["symbol"],
        "last_session_with_bars": row["last"],
        "sessions_late": len(sessions),
        "deadline": row["deadline"],
    }
    return Hit(
        ts=row["day_ts" if view.timeframe is Timeframe.D1 else "open"],  # type: ignore[arg-type]
        ts_end=row["ts_end"],  # type: ignore[arg-type]
        session=row["session"],  # type: ignore[arg-type]
        last_session=row["last_session"],  # type: ignore[arg-type]
        values=values,
        votes=votes,
    )


def _covers(view: VenueView, item: SessionException, row: Mapping[str, object], opened: object, closed: object) -> bool:
    """Whether trading of the instrument was halted, or its venue closed, for the whole session."""
    if item.calendar != view.calendar or item.instrument_id not in {None, row["instrument_id"]}:
        return False
    stops = item.kind in {ExceptionKind.HALT, ExceptionKind.CLOSURE}
    return stops and item.starts_at <= opened and closed <= item.ends_at  # type: ignore[operator]


RULES = (
    VenueRule(
        "bars_are_fresh",
        25,
        Severity.MAJOR,
        "A tracked instrument has bars of every session whose deadline is over: the next opening, or freshness_minutes "
        "after the close; around the clock the end of the next day. One finding from the first session after its last "
        "bars on. Suspected only, where it had bars in less than 95 % of the 20 sessions before.",
        _bars_are_fresh,
        thresholds=(FRESHNESS_MINUTES,),
    ),
)
