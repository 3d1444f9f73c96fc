"""Ingest windows: planned, begun, failed; and which attempt at one owns it.

A window is (instrument, timeframe, [start, end) sessions) and keeps its id over all attempts. States:

| state             | meaning                                                                    |
|-------------------|----------------------------------------------------------------------------|
| `planned`         | wanted, never begun                                                        |
| `running`         | an attempt is under way, or was killed                                     |
| `published`       | its bars are in                                                            |
| `empty_suspected` | the answer was empty although the calendar has sessions; not yet confirmed |
| `empty`           | a second attempt agreed, or no session lies in it                          |
| `quarantined`     | an answer came and is held as a whole                                      |
| `failed`          | no usable answer; `error_code` says why                                    |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from chandlery.errors import Conflict
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.tables import ingest_windows
from chandlery.store.warehouse import Warehouse, Writer

DONE = ("published", "empty")
"""States that need no further attempt."""
ANSWERED = (*DONE, "empty_suspected", "quarantined")
"""States of a window that the source answered. `last_answer` remembers it while a later attempt runs or has failed:
what was asked for stays asked for."""


@dataclass(frozen=True, slots=True)
class Window:
    """One ingest window under way."""

    window_id: int
    instrument: Instrument
    timeframe: Timeframe
    start: date
    end: date
    attempt: int
    run_id: str | None = None

    @property
    def since(self) -> datetime:
        """Local midnight of `start`."""
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=self.zone)

    @property
    def until(self) -> datetime:
        """Local midnight of `end`."""
        return datetime(self.end.year, self.end.month, self.end.day, tzinfo=self.zone)

    @property
    def zone(self) -> ZoneInfo:
        """The exchange's zone."""
        return ZoneInfo(ZONES[self.instrument.calendar])


def plan_windows(
    warehouse: Warehouse, instrument: Instrument, timeframe: Timeframe, spans: Sequence[tuple[date, date]]
) -> None:
    """Record windows as `planned` and forget plans of this series that were never begun."""
    mine = (ingest_windows.c.instrument_id == instrument.instrument_id) & (
        ingest_windows.c.timeframe == timeframe.value
    )
    facts = [
        {
            "instrument_id": instrument.instrument_id,
            "timeframe": timeframe.value,
            "start_session": start,
            "end_session": end,
            "status": "planned",
        }
        for start, end in spans
    ]
    with warehouse.write() as connection:
        connection.execute(ingest_windows.delete().where(mine & (ingest_windows.c.status == "planned")))
        if facts:
            key = ["instrument_id", "timeframe", "start_session", "end_session"]
            connection.execute(insert(ingest_windows).on_conflict_do_nothing(index_elements=key), facts)


def begin_window(
    warehouse: Warehouse,
    *,
    instrument: Instrument,
    timeframe: Timeframe,
    start: date,
    end: date,
    run_id: str | None,
) -> Window:
    """Mark the window running and return it; a later attempt owns it from here on."""
    facts = {
        "instrument_id": instrument.instrument_id,
        "timeframe": timeframe.value,
        "start_session": start,
        "end_session": end,
    }
    statement = insert(ingest_windows).values(**facts, status="running", run_id=run_id, attempts=1)
    kept = case((ingest_windows.c.status.in_(ANSWERED), ingest_windows.c.status), else_=ingest_windows.c.last_answer)
    again = {
        "status": "running",
        "last_answer": kept,
        "run_id": run_id,
        "attempts": ingest_windows.c.attempts + 1,
        "started_at": func.now(),
        "finished_at": None,
        "error_code": None,
    }
    upsert = statement.on_conflict_do_update(index_elements=list(facts), set_=again)
    with warehouse.write() as connection:
        row = connection.execute(upsert.returning(ingest_windows.c.window_id, ingest_windows.c.attempts)).one()
    return Window(row[0], instrument, timeframe, start, end, row[1], run_id)


def fail_window(warehouse: Warehouse, window: Window, *, code: str) -> None:
    """Record that the window failed; nothing of it is visible.

    An attempt that was superseded changes nothing: the status is the later one's.
    """
    with warehouse.write() as connection:
        if latest_attempt(connection, window) != window.attempt:
            return
        connection.execute(
            ingest_windows.update()
            .where(ingest_windows.c.window_id == window.window_id)
            .values(status="failed", error_code=code, finished_at=func.now())
        )


def latest_attempt(connection: Writer, window: Window) -> int:
    """Return the number of the latest attempt and keep others from beginning until the transaction ends."""
    mine = select(ingest_windows.c.attempts).where(ingest_windows.c.window_id == window.window_id)
    latest: int = connection.execute(mine.with_for_update()).scalar_one()
    return latest


def require_latest(connection: Writer, window: Window) -> None:
    """Refuse an attempt that a later one has superseded.

    Raises:
        Conflict: it has.
    """
    latest = latest_attempt(connection, window)
    if latest != window.attempt:
        raise Conflict(
            f"Attempt {window.attempt} at window {window.window_id} was to be published, but attempt {latest} has "
            "begun and owns it. Nothing was changed; that attempt brings the window in."
        )
