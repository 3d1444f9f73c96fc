"""What the warehouse holds of all series of a calendar together: members, counts, closes, missing minutes."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import text

from chandlery.market.bars import TS
from chandlery.market.calendar import SESSION_SCHEMA, ZONES
from chandlery.market.timeframes import Timeframe
from chandlery.store.fixed_reads import Schema, read_fixed
from chandlery.store.history import BAR_TABLES
from chandlery.store.warehouse import Reader

_COUNTS: Schema = {"instrument_id": pl.Int64, "session": pl.Date, "bars": pl.Int64, "last_ts": TS, "known_from": TS}
_COUNTS_QUERY = """
    select s.instrument_id::bigint as instrument_id, s.session, s.bars::bigint as bars, s.last_ts, g.known_from
    from ops.bar_sessions as s
    inner join ops.ingests as g on g.ingest_id = s.first_ingest_id
    where s.instrument_id = any(%(ids)s) and s.timeframe = %(timeframe)s and s.bars > 0
        and s.session >= %(first)s and s.session < %(end)s
"""
_CLOSES: Schema = {"instrument_id": pl.Int64, "session": pl.Date, **dict.fromkeys(("close", "low", "high"), pl.Float64)}
# A session without a day bar has the close of its last regular minute, one look into the index; its range, which
# would be 390, stays unknown.
_CLOSES_QUERY = """
    with days as (
        select instrument_id, (ts at time zone %(zone)s)::date as session, close, low, high
        from raw.massive__bars_1d
        where instrument_id = any(%(ids)s) and ts >= %(since)s and ts < %(until)s
    ),
    minutes as (
        select s.instrument_id, s.session, m.close
        from ops.bar_sessions as s
        inner join ops.sessions as c on c.calendar = %(calendar)s and c.session = s.session
        inner join lateral (
            select b.close from raw.massive__bars_1m as b
            where b.instrument_id = s.instrument_id and b.ts >= c.open and b.ts < c.close
            order by b.ts desc
            limit 1
        ) as m on true
        where s.instrument_id = any(%(ids)s) and s.timeframe = '1m' and s.bars > 0
            and s.session >= %(first)s and s.session <= %(last)s
            and not exists (
                select from days where days.instrument_id = s.instrument_id and days.session = s.session
            )
    )
    select instrument_id::bigint as instrument_id, session, close, low, high from days
    union all
    select instrument_id::bigint, session, close, null, null from minutes
"""
# The bundled tapes end, so a replayed series is late for nothing after its last asked session.
_MEMBERS_QUERY = """
    select i.instrument_id, t.ticker as symbol, i.listed_on, i.delisted_on, i.created_at as tracked_from,
        case when t.source = 'replay' then w.last_session end as ends_on
    from ops.instruments as i
    inner join lateral (
        select ticker, source from ops.instrument_tickers
        where instrument_id = i.instrument_id order by valid_from desc limit 1
    ) as t on true
    inner join lateral (
        select max(end_session) - 1 as last_session from ops.ingest_windows
        where instrument_id = i.instrument_id and timeframe = :timeframe and status <> 'planned'
    ) as w on w.last_session is not null
    where i.is_tracked and i.calendar = :calendar
    order by i.instrument_id
"""
_STAMPS: Schema = {"ts": TS}
_HOURS: Schema = {name: dtype for name, dtype in SESSION_SCHEMA.items() if name != "calendar"}


def calendar_sessions(connection: Reader, calendar: str) -> pl.DataFrame:
    """Return all sessions of a calendar, ascending, in `SESSION_SCHEMA`."""
    query = f"select {', '.join(_HOURS)} from ops.sessions where calendar = %(calendar)s"  # noqa: S608 - fixed names
    hours = read_fixed(connection, query, {"calendar": calendar}, _HOURS).sort("session")
    return hours.with_columns(calendar=pl.lit(calendar)).select(*SESSION_SCHEMA)


def venue_members(connection: Reader, calendar: str, timeframe: Timeframe) -> list[dict[str, object]]:
    """Return the tracked instruments of a calendar that were ever asked for bars of a timeframe, with their dates.

    Each has instrument_id, symbol, listed_on, delisted_on, tracked_from, ends_on (the last session of a recording).
    """
    rows = connection.execute(text(_MEMBERS_QUERY), {"calendar": calendar, "timeframe": timeframe.value})
    return [dict(row) for row in rows.mappings()]


def venue_counts(
    connection: Reader, instrument_ids: Sequence[int], timeframe: Timeframe, first: date, end: date
) -> pl.DataFrame:
    """Return bars by instrument and session of `[first, end)`: bars, last_ts, known_from of the first of them."""
    where = {"ids": list(instrument_ids), "timeframe": timeframe.value, "first": first, "end": end}
    return read_fixed(connection, _COUNTS_QUERY, where, _COUNTS).sort("session", "instrument_id")


def venue_closes(
    connection: Reader, instrument_ids: Sequence[int], calendar: str, first: date, last: date
) -> pl.DataFrame:
    """Return raw closes by instrument and session from `first` to `last`: of the day bar, else of the last minute.

    Columns: instrument_id, session, close, and of day bars low and high; ascending by instrument and session.
    """
    zone = ZoneInfo(ZONES[calendar])
    after = last + timedelta(days=1)
    where = {
        "ids": list(instrument_ids),
        "calendar": calendar,
        "zone": zone.key,
        "first": first,
        "last": last,
        "since": datetime(first.year, first.month, first.day, tzinfo=zone),
        "until": datetime(after.year, after.month, after.day, tzinfo=zone),
    }
    return read_fixed(connection, _CLOSES_QUERY, where, _CLOSES, optional=("low", "high")).sort(
        "instrument_id", "session"
    )


def minute_stamps(connection: Reader, instrument_id: int, since: datetime, until: datetime) -> pl.Series:
    """Return the ts of the minutes of an instrument with `since <= ts < until`, ascending."""
    table = BAR_TABLES[Timeframe.M1][0].fullname
    query = f"select ts from {table} where instrument_id = %(instrument)s and ts >= %(since)s and ts < %(until)s"  # noqa: S608 - fixed names
    where = {"instrument": instrument_id, "since": since, "until": until}
    return read_fixed(connection, query, where, _STAMPS)["ts"].sort()
