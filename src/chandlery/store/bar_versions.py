"""Write versions of bars: the present is replaced, what it replaces moves to history, and both name one ingest.

Who calls decides what changes and why; here it becomes rows, the sessions they touch and the ingest's instant, in the
caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import text

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.store.copying import copy_rows
from chandlery.store.history import BAR_TABLES
from chandlery.store.ingest_windows import Window
from chandlery.store.instants import commit_instant
from chandlery.store.tables import ingests
from chandlery.store.warehouse import Writer

_OPTIONAL = ("vwap", "trade_count")
# One statement with arrays: row by row, 128 sessions took 70 ms of a window's 350.
_SESSIONS = text(
    "insert into ops.bar_sessions "
    "(instrument_id, timeframe, session, bars, first_ts, last_ts, ingest_id, first_ingest_id) "
    "select :instrument, :timeframe, session, bars, first_ts, last_ts, :ingest, :ingest from unnest("
    "cast(:session as date[]), cast(:bars as int[]), "
    "cast(:first_ts as timestamptz[]), cast(:last_ts as timestamptz[])) "
    "as counted (session, bars, first_ts, last_ts) "
    "on conflict (instrument_id, timeframe, session) do update set bars = excluded.bars, "
    "first_ts = excluded.first_ts, last_ts = excluded.last_ts, ingest_id = excluded.ingest_id"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who published the bars, and by which answers."""

    source: str
    request_ids: Sequence[str] = ()
    payload_sha256: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """What is to change in one series.

    Attributes:
        written: versions that begin: `BAR_SCHEMA` and `reason`, unique by ts.
        ended: ts of the versions that end, with or without a successor.
        after: all bars of the touched sessions once it is done, in `BAR_SCHEMA`.
    """

    written: pl.DataFrame
    ended: pl.Series
    after: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: rows by reason, and the touched sessions."""

    ingest_id: int
    reasons: tuple[tuple[str, int], ...]
    sessions: tuple[date, ...]


def hold_series(connection: Writer, instrument_id: int, timeframe: Timeframe) -> None:
    """Let writers of one series go one after the other: each compares with what is there."""
    name = f"{BAR_TABLES[timeframe][0].fullname}:{instrument_id}"
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def write_versions(connection: Writer, window: Window, versions: Versions, origin: Origin) -> Written:
    """End and begin versions as one ingest of the window; call it late, its instant makes others wait.

    Args:
        connection: the transaction; it holds the series (`hold_series`).
        window: whose ingest it is.
        versions: what changes.
        origin: where the values come from.
    """
    sequence = text("select nextval(pg_get_serial_sequence('ops.ingests', 'ingest_id'))")
    ingest_id = int(connection.execute(sequence).scalar_one())
    _supersede(connection, window, versions.ended, ingest_id)
    constants: dict[str, int | str] = {"instrument_id": window.instrument.instrument_id, "ingest_id": ingest_id}
    present, _ = BAR_TABLES[window.timeframe]
    reasons = []
    for (reason,), rows in versions.written.group_by("reason", maintain_order=True):
        named = {**constants, "reason": str(reason)}
        copy_rows(connection, present.fullname, rows.select(*BAR_SCHEMA), optional=_OPTIONAL, constants=named)
        reasons.append((str(reason), rows.height))
    sessions = _note_sessions(connection, window, versions, ingest_id)
    _note_ingest(connection, window, origin, ingest_id)
    return Written(ingest_id, tuple(reasons), sessions)


def _supersede(connection: Writer, window: Window, ended: pl.Series, ingest_id: int) -> None:
    """Move the versions that end now to the history table."""
    present, history = BAR_TABLES[window.timeframe]
    if ended.is_empty():
        return
    connection.exec_driver_sql("create temporary table ended (ts timestamptz primary key) on commit drop")
    copy_rows(connection, "ended", ended.to_frame("ts"))
    columns = ", ".join(column.name for column in present.columns)
    statement = text(
        f"with moved as (delete from {present.fullname} where instrument_id = :instrument "  # noqa: S608 - fixed names
        f"and ts in (select ts from ended) returning {columns}) "
        f"insert into {history.fullname} ({columns}, superseded_by) select {columns}, :ingest from moved"
    )
    connection.execute(statement, {"instrument": window.instrument.instrument_id, "ingest": ingest_id})
    connection.exec_driver_sql("drop table ended")


def _note_sessions(connection: Writer, window: Window, versions: Versions, ingest_id: int) -> tuple[date, ...]:
    """Keep `ops.bar_sessions` true for every session with a changed bar, and return these sessions."""
    day = pl.col("ts").dt.convert_time_zone(window.zone.key).dt.date()
    changed = pl.concat([versions.written.get_column("ts"), versions.ended.alias("ts")])
    touched = changed.to_frame().select(day.alias("session")).unique()
    counted = versions.after.group_by(day.alias("session")).agg(
        bars=pl.len(), first_ts=pl.col("ts").min(), last_ts=pl.col("ts").max()
    )
    rows = touched.join(counted, on="session", how="left").with_columns(pl.col("bars").fill_null(0)).sort("session")
    facts = {
        "instrument": window.instrument.instrument_id,
        "timeframe": window.timeframe.value,
        "ingest": ingest_id,
        **{name: rows[name].to_list() for name in ("session", "bars", "first_ts", "last_ts")},
    }
    connection.execute(_SESSIONS, facts)
    return tuple(rows["session"].to_list())


def _note_ingest(connection: Writer, window: Window, origin: Origin, ingest_id: int) -> None:
    """Write the ingest with the instant of this transaction: everything after this is short."""
    connection.execute(
        ingests.insert().values(
            ingest_id=ingest_id,
            window_id=window.window_id,
            attempt=window.attempt,
            source=origin.source,
            request_ids=list(origin.request_ids),
            payload_sha256=origin.payload_sha256,
            run_id=window.run_id,
            known_from=commit_instant(connection),
        )
    )
