"""What has been judged, and what has changed since: everything but bars, read at once for all series of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chandlery.market.bars import TS
from chandlery.market.calendar import ZONES
from chandlery.market.session_exceptions import SessionException
from chandlery.store.fixed_reads import DIGEST, Schema, read_fixed
from chandlery.store.ingest_windows import ANSWERED
from chandlery.store.session_exceptions import list_exceptions
from chandlery.store.warehouse import Reader, Writer

STORE_FAULTS = (DBAPIError, OSError)
"""What the store may fail with over one series; a database that is away is `DatabaseDown`."""

_MARGIN = timedelta(days=15)
"""Holds the few sessions before whose judgement a change can turn."""
LATER = timedelta(days=105)
"""Holds the 60 sessions afterwards that look back on a change, and the few these look ahead to."""
_EARLIER = 60
"""Sessions with bars before the first one that are known too: a view looks back on so many, wherever they lie."""

_KEY: dict[str, pl.DataType | type[pl.DataType]] = {"instrument_id": pl.Int32, "is_minute": pl.Boolean}
_SESSIONS: Schema = {**_KEY, "session": pl.Date, "bars": pl.Int32, "ingest_id": pl.Int32}
_JUDGED: Schema = {**_KEY, "session": pl.Date, "read_key": pl.String, "is_owed": pl.Boolean}
_WINDOWS: Schema = {**_KEY, "start_session": pl.Date, "end_session": pl.Date}
_HELD: Schema = {**_KEY, "ts": TS}
_TOLD: Schema = {"instrument_id": pl.Int32, "session": pl.Date, "bars": pl.Int64, "known_from": TS}

_SESSIONS_QUERY = """
    select s.instrument_id, s.timeframe = '1m' as is_minute, s.session, s.bars, s.ingest_id
    from ops.bar_sessions as s
    where s.instrument_id = any(%(ids)s) and s.session >= %(start)s and s.session < %(until)s
    union all
    select e.instrument_id, e.timeframe = '1m', e.session, e.bars, e.ingest_id
    from unnest(cast(%(ids)s as int[])) as wanted (instrument_id)
    cross join (values ('1m'), ('1d')) as frames (timeframe)
    cross join lateral (
        select b.* from ops.bar_sessions as b
        where b.instrument_id = wanted.instrument_id and b.timeframe = frames.timeframe
            and b.session < %(start)s and b.bars > 0
        order by b.session desc
        limit %(earlier)s
    ) as e
"""
_JUDGED_QUERY = """
    select instrument_id, timeframe = '1m' as is_minute, session, left(read_key, %(digest)s) as read_key,
        length(read_key) > %(digest)s as is_owed
    from ops.judged_sessions
    where instrument_id = any(%(ids)s) and session >= %(start)s and session < %(end)s
        and length(read_key) >= %(digest)s
"""
_WINDOWS_QUERY = """
    select instrument_id, timeframe = '1m' as is_minute, start_session, end_session
    from ops.ingest_windows
    where instrument_id = any(%(ids)s) and (status = any(%(answered)s) or last_answer is not null)
        and start_session < %(until)s and end_session > %(since)s
"""
_HELD_QUERY = """
    select distinct instrument_id, timeframe = '1m' as is_minute, ts
    from raw.massive__quarantine
    where instrument_id = any(%(ids)s) and ts >= %(since)s and ts < %(until)s
"""
_TOLD_QUERY = """
    select w.instrument_id, (w.ts at time zone z.zone)::date as session, count(*) as bars,
        max(w.known_from) as known_from
    from raw.witness__bars as w
    inner join ops.instruments as i using (instrument_id)
    inner join unnest(cast(%(calendars)s as text[]), cast(%(zones)s as text[])) as z (calendar, zone)
        on z.calendar = i.calendar
    where w.instrument_id = any(%(ids)s) and w.ts >= %(since)s and w.ts < %(until)s
    group by 1, 2
"""
_LISTINGS_QUERY = """
    select i.instrument_id, i.listed_on, i.delisted_on,
        array(
            select t.valid_from from ops.instrument_tickers as t
            where t.instrument_id = i.instrument_id order by t.valid_from
        ) as spans
    from ops.instruments as i where i.instrument_id = any(:ids)
"""
_PUBLISHERS_QUERY = """
    select w.instrument_id, w.timeframe, array_agg(distinct g.source)
    from ops.ingests as g inner join ops.ingest_windows as w using (window_id)
    where w.instrument_id = any(:ids) and g.source not like 'repair%'
    group by w.instrument_id, w.timeframe
"""
# A key with a mark after it: the series was judged, its venue was not yet.
_NOTE = """
    insert into ops.judged_sessions as j (instrument_id, timeframe, session, read_key)
    select :instrument, :timeframe, n.session, n.read_key || '+'
    from unnest(cast(:sessions as date[]), cast(:keys as text[])) as n (session, read_key)
    on conflict (instrument_id, timeframe, session) do update
    set read_key = excluded.read_key, judged_at = now()
    where rtrim(j.read_key, '+') <> rtrim(excluded.read_key, '+')
"""
_FORGET = """
    delete from ops.judged_sessions
    where instrument_id = :instrument and timeframe = :timeframe and session >= :start and session < :end
"""
_OF_VENUE = """
    from ops.instruments as i
    where i.instrument_id = j.instrument_id and i.calendar = :calendar
        and j.timeframe = :timeframe and j.session >= :start and j.session < :end
"""
_SETTLE = "update ops.judged_sessions as j set read_key = rtrim(read_key, '+') {of} and read_key like '%+'"
_OWE = "update ops.judged_sessions as j set read_key = read_key || '+' {of} and read_key not like '%+'"


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """Between which days an instrument was listed, and from which it had another ticker."""

    listed_on: date | None
    delisted_on: date | None
    renames: tuple[date, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """What decides whether a session is judged anew; every frame has `instrument_id`, most `is_minute` (1m, not 1d).

    Attributes:
        sessions: `session`, `bars`, `ingest_id`: sessions with bars, or whose bars were withdrawn (0). Some lie before
            the asked range and after it.
        judged: `session`, `read_key`, and whether its venue is owed a judgement (`is_owed`), inside the range.
        windows: `start_session`, `end_session` of finished ones.
        held: `ts` in quarantine.
        told: `session`, `bars`, `known_from` of other sources' bars.
        exceptions: halts and other exceptions of all venues.
        listings: by instrument.
        publishers: names by (instrument, timeframe).
    """

    sessions: pl.DataFrame
    judged: pl.DataFrame
    windows: pl.DataFrame
    held: pl.DataFrame
    told: pl.DataFrame
    exceptions: tuple[SessionException, ...]
    listings: Mapping[int, ListingFacts]
    publishers: Mapping[tuple[int, str], frozenset[str]]


def read_ledger(connection: Reader, instrument_ids: Sequence[int], start: date, end: date) -> Ledger:
    """Return what is known of series over the sessions `[start, end)` and a little around; no bar is read."""
    since, until = max(start, date.min + _MARGIN) - _MARGIN, min(end, date.max - LATER) + LATER
    where = {
        "ids": list(instrument_ids),
        "start": start,
        "end": end,
        "since": since,
        "until": until,
        "earlier": _EARLIER,
        "digest": DIGEST,
        "answered": list(ANSWERED),
        "calendars": list(ZONES),
        "zones": list(ZONES.values()),
    }
    listings = connection.execute(text(_LISTINGS_QUERY), {"ids": where["ids"]})
    publishers = connection.execute(text(_PUBLISHERS_QUERY), {"ids": where["ids"]})
    return Ledger(
        sessions=read_fixed(connection, _SESSIONS_QUERY, where, _SESSIONS),
        judged=read_fixed(connection, _JUDGED_QUERY, where, _JUDGED),
        windows=read_fixed(connection, _WINDOWS_QUERY, where, _WINDOWS),
        held=read_fixed(connection, _HELD_QUERY, where, _HELD),
        told=read_fixed(connection, _TOLD_QUERY, where, _TOLD),
        exceptions=tuple(item.exception for item in list_exceptions(connection)),
        listings={row[0]: ListingFacts(row[1], row[2], tuple(row[3][1:])) for row in listings},
        publishers={
            (row[0], row[1]): frozenset(part for name in row[2] for part in name.split("+")) for row in publishers
        },
    )


def note_judged(
    connection: Writer, instrument_id: int, timeframe: str, sessions: Sequence[date], keys: Sequence[str]
) -> int:
    """Note what sessions were judged from, in the transaction of their findings; return how many keys changed.

    Where a key changed, the venue is owed a judgement of the session until `note_venue` settles it.
    """
    facts = {"instrument": instrument_id, "timeframe": timeframe, "sessions": list(sessions), "keys": list(keys)}
    return connection.execute(text(_NOTE), facts).rowcount


def forget_judged(connection: Writer, instrument_id: int, timeframe: str, start: date, end: date) -> int:
    """Forget that the sessions `[start, end)` of a series were judged; the next run judges them. Return how many."""
    facts = {"instrument": instrument_id, "timeframe": timeframe, "start": start, "end": end}
    return connection.execute(text(_FORGET), facts).rowcount


def note_venue(connection: Writer, calendar: str, timeframe: str, start: date, end: date, *, is_judged: bool) -> int:
    """Note that the sessions `[start, end)` of a venue were judged, or that they are owed; return how many changed."""
    facts = {"calendar": calendar, "timeframe": timeframe, "start": start, "end": end}
    statement = (_SETTLE if is_judged else _OWE).format(of=_OF_VENUE)
    return connection.execute(text(statement), facts).rowcount
