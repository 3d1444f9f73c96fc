"""The calendar table: sessions as built, and who voted for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import orjson
import polars as pl
from sqlalchemy import delete, func, select

from chandlery.market.calendar import SESSION_SCHEMA
from chandlery.market.calendar_votes import Turnout
from chandlery.store.frames import read_frame
from chandlery.store.tables import bar_sessions, instruments, sessions
from chandlery.store.warehouse import Reader, Warehouse, Writer

_CALENDAR_LOCK = 7_304_526_131
_WITNESS_DAYS = 14
"""A series that is silent for longer is no witness; the longest closing since 1960 took 7 days (September 2001)."""

_STAGE = "create temporary table new_sessions (like ops.sessions including defaults) on commit drop"
_MERGE = """
insert into ops.sessions ({columns}, votes)
select {columns}, votes from new_sessions
on conflict (calendar, session) do update set
    {assignments},
    votes = (sessions.votes - 'exception') || excluded.votes
where (({old}), (sessions.votes - 'exception') || excluded.votes) is distinct from (({new}), sessions.votes)
"""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What writing a span of the calendar changed."""

    written: int
    removed: int


def replace_sessions(
    connection: Writer,
    frame: pl.DataFrame,
    *,
    calendar: str,
    start: date,
    end: date,
    votes: Mapping[date, Mapping[str, str]] | None = None,
) -> Rebuilt:
    """Make the sessions of a calendar in `[start, end)` those of `frame` (in `SESSION_SCHEMA`).

    Rows that do not change are not written. A vote stays until its voter votes again, because announcements speak of
    coming days only; the vote of an exception goes with it.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_CALENDAR_LOCK)))
    mine = (sessions.c.calendar == calendar) & (sessions.c.session >= start) & (sessions.c.session < end)
    gone = delete(sessions).where(mine & sessions.c.session.not_in(frame["session"].to_list() or [date.min]))
    removed = connection.execute(gone).rowcount
    connection.exec_driver_sql(_STAGE)
    _stage(connection, frame, votes or {})
    names = [name for name in SESSION_SCHEMA if name not in {"calendar", "session"}]
    statement = _MERGE.format(
        columns=", ".join(SESSION_SCHEMA),
        assignments=", ".join(f"{name} = excluded.{name}" for name in names),
        old=", ".join(f"sessions.{name}" for name in names),
        new=", ".join(f"excluded.{name}" for name in names),
    )
    written = connection.exec_driver_sql(statement).rowcount
    connection.exec_driver_sql("drop table new_sessions")
    return Rebuilt(written, removed)


def _stage(connection: Writer, frame: pl.DataFrame, votes: Mapping[date, Mapping[str, str]]) -> None:
    driver = connection.connection.driver_connection
    if driver is None:
        raise TypeError
    place = list(SESSION_SCHEMA).index("session")
    statement = f"copy new_sessions ({', '.join(SESSION_SCHEMA)}, votes) from stdin"
    with driver.cursor().copy(statement) as stream:
        for row in frame.select(list(SESSION_SCHEMA)).iter_rows():
            stream.write_row((*row, orjson.dumps(dict(votes.get(row[place], {}))).decode()))


def sessions_between(warehouse: Warehouse, calendar: str, start: date, end: date) -> pl.DataFrame:
    """Return the sessions with `start <= session < end`, ascending, in `SESSION_SCHEMA`."""
    columns = ", ".join(SESSION_SCHEMA)
    query = (
        f"select {columns} from ops.sessions where calendar = $1 and session >= $2 and session < $3 "  # noqa: S608 - fixed names
        "order by session"
    )
    frame = read_frame(warehouse, query, (calendar, start, end))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SESSION_SCHEMA.items())


def votes_between(connection: Reader, calendar: str, start: date, end: date) -> dict[date, dict[str, str]]:
    """Return the votes on the sessions with `start <= session < end`, ascending."""
    query = select(sessions.c.session, sessions.c.votes).where(
        sessions.c.calendar == calendar, sessions.c.session >= start, sessions.c.session < end
    )
    return {row[0]: row[1] for row in connection.execute(query.order_by(sessions.c.session))}


def turnout(connection: Reader, calendar: str) -> dict[date, Turnout]:
    """Return how many tracked series of a calendar have a day bar, among those with one at most 14 days around.

    Days on which none of them has bars around do not appear. Counted from `ops.bar_sessions`; no bar is read.
    """
    following = func.lead(bar_sessions.c.session).over(
        partition_by=bar_sessions.c.instrument_id, order_by=bar_sessions.c.session
    )
    days = (
        select(bar_sessions.c.session, following.label("following"))
        .join(instruments, instruments.c.instrument_id == bar_sessions.c.instrument_id)
        .where(
            bar_sessions.c.timeframe == "1d",
            bar_sessions.c.bars > 0,
            instruments.c.calendar == calendar,
            instruments.c.is_tracked,
        )
        .subquery()
    )
    pairs = select(days.c.session, days.c.following, func.count()).group_by(days.c.session, days.c.following)
    present: dict[date, int] = {}
    absent: dict[date, int] = {}
    rows: Iterable[tuple[date, date | None, int]] = connection.execute(pairs)
    for session, after, count in rows:
        present[session] = present.get(session, 0) + count
        if after is None or (after - session).days > _WITNESS_DAYS:
            continue
        for ordinal in range(session.toordinal() + 1, after.toordinal()):
            day = date.fromordinal(ordinal)
            absent[day] = absent.get(day, 0) + count
    return {day: Turnout(present.get(day, 0), absent.get(day, 0)) for day in sorted({*present, *absent})}


def count_sessions(connection: Reader, calendar: str) -> int:
    """Return how many sessions of a calendar the table holds."""
    query = select(func.count()).select_from(sessions).where(sessions.c.calendar == calendar)
    return int(connection.execute(query).scalar_one())


def last_session(connection: Reader) -> date | None:
    """Return the last session of any calendar, None while the table is empty."""
    return connection.execute(select(func.max(sessions.c.session))).scalar()
