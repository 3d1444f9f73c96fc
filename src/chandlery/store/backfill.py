"""How far the backfill of each symbol is, and what it brought in: from windows and session counts, never from bars."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select

from chandlery.store.tables import (
    bar_sessions,
    bars_1d_history,
    bars_1m_history,
    findings,
    ingest_windows,
    ingests,
)
from chandlery.store.warehouse import Reader

BACKFILL_STATES = {
    "planned": "pending",
    "running": "in progress",
    "published": "completed",
    "failed": "failed",
    "quarantined": "failed",
    "empty_suspected": "empty-suspected",
    "empty": "empty-confirmed",
}
"""The state of a window in the words of a backfill, by its status."""

_HISTORIES = {"1m": bars_1m_history, "1d": bars_1d_history}


@dataclass(frozen=True, slots=True)
class BackfillWindow:
    """One window of a series: sessions `start <= session < end`, its state, and why if it failed."""

    instrument_id: int
    timeframe: str
    start: date
    end: date
    state: str
    code: str | None
    attempts: int
    rows_seen: int
    rows_new: int
    rows_held: int


@dataclass(frozen=True, slots=True)
class SeriesStatistics:
    """What one instrument has of one base timeframe.

    Attributes:
        timeframe: 1m or 1d.
        bars: present bars.
        sessions: sessions with at least one bar.
        first_session: the first of them.
        last_session: the last of them.
        first_ts: open of the first bar.
        last_ts: open of the last bar.
        revisions: versions of bars that were replaced or withdrawn.
        findings: open findings.
        last_ingest: when the last batch was published.
    """

    timeframe: str
    bars: int
    sessions: int
    first_session: date | None
    last_session: date | None
    first_ts: datetime | None
    last_ts: datetime | None
    revisions: int
    findings: int
    last_ingest: datetime | None


def backfill_windows(connection: Reader, instrument_id: int | None = None) -> tuple[BackfillWindow, ...]:
    """Return the windows of one instrument or all, by instrument, timeframe and start."""
    window = ingest_windows.c
    columns = (
        *(window.instrument_id, window.timeframe, window.start_session, window.end_session, window.status),
        *(window.error_code, window.attempts, window.rows_seen, window.rows_new, window.rows_held),
    )
    query = select(*columns).order_by(window.instrument_id, window.timeframe, window.start_session, window.end_session)
    if instrument_id is not None:
        query = query.where(window.instrument_id == instrument_id)
    return tuple(
        BackfillWindow(
            instrument_id=row.instrument_id,
            timeframe=row.timeframe,
            start=row.start_session,
            end=row.end_session,
            state=BACKFILL_STATES.get(row.status, row.status),
            code=row.error_code or (row.status if row.status == "quarantined" else None),
            attempts=row.attempts,
            rows_seen=row.rows_seen,
            rows_new=row.rows_new,
            rows_held=row.rows_held,
        )
        for row in connection.execute(query)
    )


def series_statistics(connection: Reader, instrument_id: int) -> tuple[SeriesStatistics, ...]:
    """Return the statistics of an instrument's minutes and days; a series without bars counts zero."""
    return tuple(_statistics(connection, instrument_id, timeframe) for timeframe in _HISTORIES)


def _statistics(connection: Reader, instrument_id: int, timeframe: str) -> SeriesStatistics:
    series = bar_sessions.c
    covered = select(
        func.coalesce(func.sum(series.bars), 0).label("bars"),
        func.count().label("sessions"),
        func.min(series.session).label("first_session"),
        func.max(series.session).label("last_session"),
        func.min(series.first_ts).label("first_ts"),
        func.max(series.last_ts).label("last_ts"),
    ).where(series.instrument_id == instrument_id, series.timeframe == timeframe, series.bars > 0)
    found = connection.execute(covered).one()
    history = _HISTORIES[timeframe]
    published = (
        select(func.max(ingests.c.known_from))
        .join(ingest_windows, ingest_windows.c.window_id == ingests.c.window_id)
        .where(ingest_windows.c.instrument_id == instrument_id, ingest_windows.c.timeframe == timeframe)
    )
    return SeriesStatistics(
        timeframe,
        bars=int(found.bars),
        sessions=found.sessions,
        first_session=found.first_session,
        last_session=found.last_session,
        first_ts=found.first_ts,
        last_ts=found.last_ts,
        revisions=_count(connection, history.c.instrument_id == instrument_id),
        findings=_count(
            connection,
            findings.c.instrument_id == instrument_id,
            findings.c.timeframe == timeframe,
            findings.c.state == "open",
        ),
        last_ingest=connection.execute(published).scalar(),
    )


def _count(connection: Reader, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).where(*conditions)).scalar_one()
