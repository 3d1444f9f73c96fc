"""Scores and gaps of the whole universe over some sessions, for pictures and for the checks beside them."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from chandlery.store.warehouse import Warehouse

_SCORES = text(
    """
    select t.ticker, q.session, q.score, q.judged_count, q.sound_count
    from marts.quality_scores_daily as q
    inner join ops.instrument_tickers as t on q.instrument_id = t.instrument_id and t.valid_to is null
    where q.timeframe = :timeframe and q.session >= :start and q.session < :end
    order by t.ticker, q.session
    """
)
_GAPS = text(
    """
    select t.ticker, g.ts, g.ts_end, g.reason, g.missing_count
    from marts.gaps as g
    inner join ops.instrument_tickers as t on g.instrument_id = t.instrument_id and t.valid_to is null
    where g.timeframe = :timeframe and g.last_session >= :start and g.session < :end
    order by t.ticker, g.ts
    """
)
_LAST = text("select max(session) from marts.quality_scores_daily where timeframe = :timeframe and score is not null")


@dataclass(frozen=True, slots=True)
class SessionMark:
    """One symbol's session: its score (None: nothing expected), how many bars were judged and how many are sound."""

    symbol: str
    session: date
    score: float | None
    judged: int
    sound: int


@dataclass(frozen=True, slots=True)
class StoredGap:
    """One hole `[ts, ts_end)` of the gap manifest."""

    symbol: str
    ts: datetime
    ts_end: datetime
    reason: str
    missing: int


def last_scored_session(warehouse: Warehouse, timeframe: str) -> date | None:
    """Return the newest session that has a score."""
    with warehouse.read() as connection:
        found: date | None = connection.execute(_LAST, {"timeframe": timeframe}).scalar_one()
    return found


def session_marks(warehouse: Warehouse, timeframe: str, start: date, end: date) -> tuple[SessionMark, ...]:
    """Return every symbol's sessions of `[start, end)` that have a row, by symbol and session."""
    with warehouse.read() as connection:
        rows = connection.execute(_SCORES, {"timeframe": timeframe, "start": start, "end": end}).all()
    return tuple(SessionMark(row[0], row[1], row[2], row[3] or 0, row[4] or 0) for row in rows)


def stored_gaps(warehouse: Warehouse, timeframe: str, start: date, end: date) -> tuple[StoredGap, ...]:
    """Return every symbol's holes that touch the sessions `[start, end)`, by symbol and ts."""
    with warehouse.read() as connection:
        rows = connection.execute(_GAPS, {"timeframe": timeframe, "start": start, "end": end}).all()
    return tuple(StoredGap(row[0], row[1], row[2], row[3], row[4]) for row in rows)
