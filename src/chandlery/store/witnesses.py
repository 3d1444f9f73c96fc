"""Bars of other sources: they are never served, they testify."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.copying import copy_rows
from chandlery.store.fixed_reads import read_fixed
from chandlery.store.warehouse import Reader, Writer

_VALUES = ("open", "high", "low", "close", "volume")
_STAGED = ("ts", *_VALUES)
_MERGE = """
insert into raw.witness__bars as b (instrument_id, timeframe, source, {columns}, basis_on)
select %(instrument)s, %(timeframe)s, %(source)s, {columns}, %(basis)s from new_witnesses
on conflict (instrument_id, timeframe, source, ts) do update
set ({values}) = ({excluded}), basis_on = excluded.basis_on, known_from = now()
where ({present}, b.basis_on) is distinct from ({excluded}, excluded.basis_on)
"""
_NOTE = """
insert into ops.witness_sources as w (instrument_id, timeframe, source, is_independent, sessions)
values (%(instrument)s, %(timeframe)s, %(source)s, %(independent)s, %(sessions)s)
on conflict (instrument_id, timeframe, source) do update
set is_independent = excluded.is_independent, sessions = excluded.sessions, judged_at = now()
where w.is_independent <> excluded.is_independent
"""
_SESSION_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    **{name: BAR_SCHEMA[name] for name in _STAGED},
    "basis_on": pl.Date,
}


def write_witness(
    connection: Writer,
    bars: pl.DataFrame,
    *,
    instrument_id: int,
    timeframe: Timeframe,
    source: str,
    basis_on: date | None,
) -> int:
    """Store bars of another source and return how many were new or differed; equal ones write nothing.

    Args:
        connection: the transaction.
        bars: `BAR_SCHEMA`; rows with a value that is no number, and repetitions of a ts, are left out.
        instrument_id: whose.
        timeframe: 1m or 1d.
        source: who published them.
        basis_on: the day to whose share basis the publisher adjusted; None: as traded.
    """
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=False) for name in _VALUES)
    sound = bars.filter(finite).unique("ts", keep="first", maintain_order=True).select(_STAGED)
    connection.exec_driver_sql(
        f"create temporary table new_witnesses on commit drop as select {', '.join(_STAGED)} "  # noqa: S608 - fixed names
        "from raw.witness__bars with no data"
    )
    copy_rows(connection, "new_witnesses", sound)
    statement = _MERGE.format(
        columns=", ".join(_STAGED),
        values=", ".join(_VALUES),
        excluded=", ".join(f"excluded.{name}" for name in _VALUES),
        present=", ".join(f"b.{name}" for name in _VALUES),
    )
    facts = {"instrument": instrument_id, "timeframe": timeframe.value, "source": source, "basis": basis_on}
    written = connection.exec_driver_sql(statement, facts).rowcount
    connection.exec_driver_sql("drop table new_witnesses")
    return written


def note_witness_source(
    connection: Writer, *, instrument_id: int, timeframe: Timeframe, source: str, is_independent: bool, sessions: int
) -> bool:
    """Keep whether a source is a feed of its own beside a series; return whether the word is new.

    Args:
        connection: the transaction.
        instrument_id: whose.
        timeframe: of the series it was compared with.
        source: whose bars testify.
        is_independent: it is not the series' own feed under another name.
        sessions: on how many common sessions that rests.
    """
    facts = {
        "instrument": instrument_id,
        "timeframe": timeframe.value,
        "source": source,
        "independent": is_independent,
        "sessions": sessions,
    }
    return connection.exec_driver_sql(_NOTE, facts).rowcount > 0


def witness_sessions(connection: Reader, instrument: Instrument, first: date, last: date) -> dict[str, pl.DataFrame]:
    """Return the day bars of other sources by source, for the sessions from `first` to `last`, ascending.

    Columns: session, open, high, low, close, volume, bars (1), basis_on. Prices are as published.
    """
    zone = ZoneInfo(ZONES[instrument.calendar])
    ends = last + timedelta(days=1)
    where = {
        "instrument": instrument.instrument_id,
        "timeframe": Timeframe.D1.value,
        "since": datetime(first.year, first.month, first.day, tzinfo=zone),
        "until": datetime(ends.year, ends.month, ends.day, tzinfo=zone),
    }
    mine = (
        "from raw.witness__bars where instrument_id = %(instrument)s and timeframe = %(timeframe)s "
        "and ts >= %(since)s and ts < %(until)s"
    )
    names = [row[0] for row in connection.exec_driver_sql(f"select distinct source {mine} order by 1", where)]
    found = {}
    for name in names:
        query = f"select {', '.join(_SESSION_COLUMNS)} {mine} and source = %(source)s"
        bars = read_fixed(connection, query, {**where, "source": name}, _SESSION_COLUMNS, optional=("basis_on",))
        found[name] = bars.sort("ts").select(
            pl.col("ts").dt.convert_time_zone(zone.key).dt.date().alias("session"),
            *_VALUES,
            pl.lit(1, dtype=pl.Int64).alias("bars"),
            "basis_on",
        )
    return found
