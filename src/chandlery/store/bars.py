"""Publish bars: one audited batch becomes bars, history, quarantine and findings in one transaction, or not at all.

A window is (instrument, timeframe, [start, end) sessions) and keeps its id over all attempts. Every version of a bar
names the ingest that brought it; a version that is replaced or withdrawn moves to the history table with the ingest
that did it. The present has no history columns and needs no window function; a bar with one version costs no second
row. A kill at any point leaves the window `running` and nothing else.
"""

import json
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import func, select, text

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.revisions import Changes, compare
from chandlery.store.copying import copy_rows
from chandlery.store.history import BAR_TABLES, present_bars
from chandlery.store.holding import hold_rows, replace_findings
from chandlery.store.ingest_windows import Window, require_latest
from chandlery.store.instants import commit_instant
from chandlery.store.tables import findings, ingest_windows, ingests
from chandlery.store.warehouse import Warehouse, Writer

_FOUND = tuple(name for name in FINDING_SCHEMA if name != "row")
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
VANISHED = "bars_vanished"
"""Rule name of the finding about an answer that lacks too many known bars."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A batch after the audit.

    Attributes:
        passed: bars without objection, in `BAR_SCHEMA`, ascending, unique by `ts`.
        held: rows that may not become bars: `seq` (row of the batch), `BAR_SCHEMA`, `rules` (list of names).
        found: findings in `FINDING_SCHEMA`.
        blocked: nothing of the batch is believed; `held` has all its rows.
        source: who published the bars.
        request_ids: the source's ids of its answers.
        payload_sha256: of the answers' bodies.
        rows_seen: rows of the answer inside the window.
        rows_dropped: rows outside it.
        pages: answers it took.
        expects_bars: the calendar has sessions in the window, so that an empty answer needs confirmation.
        unpublished: columns the source does not publish.
    """

    passed: pl.DataFrame
    held: pl.DataFrame
    found: pl.DataFrame
    blocked: bool
    source: str
    request_ids: tuple[str, ...]
    payload_sha256: str
    rows_seen: int
    rows_dropped: int
    pages: int
    expects_bars: bool
    unpublished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing a window changed; `status` is the window's."""

    status: str
    rows_new: int = 0
    rows_revised: int = 0
    rows_withdrawn: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    sessions: tuple[date, ...] = ()


def publish(warehouse: Warehouse, window: Window, batch: Judged) -> Published:
    """Bring the batch in.

    An unchanged bar is not written. A changed one moves to history and the new version takes its place; a bar the
    answer no longer holds moves there without successor, unless so many vanish that the answer is not believed (held
    as a whole then, until a second answer with the same payload confirms it). An empty answer where bars are expected
    stays suspected until a second attempt agrees, and never withdraws a bar. The batch's findings replace the window's
    open ones.

    Raises:
        Conflict: another attempt at this window began meanwhile; nothing is changed.
    """
    with warehouse.write() as connection:
        require_latest(connection, window)
        _one_publisher(connection, window)
        if batch.blocked:
            return _close(connection, window, batch, Published("quarantined"), held=batch.held, found=batch.found)
        known = present_bars(connection, window.instrument.instrument_id, window.timeframe, window.since, window.until)
        changes = compare(known, batch.passed, batch.held.get_column("ts"), unpublished=batch.unpublished)
        status = _status(connection, window, batch)
        if status == "empty_suspected":
            return _close(connection, window, batch, Published(status), held=batch.held, found=batch.found)
        # An outage can answer nothing for days: known bars are never withdrawn on the word of an empty answer.
        contradicts = not batch.rows_seen and not known.is_empty()
        if contradicts or (changes.vanishes and not _is_confirmed(connection, window, batch)):
            held = _everything(batch.passed, batch.held)
            found = pl.concat([batch.found.select(_FOUND), _vanished(window, batch, changes, known.height)])
            return _close(connection, window, batch, Published("quarantined"), held=held, found=found)
        result = Published(status) if changes.is_empty else _apply(connection, window, batch, changes, status)
        return _close(connection, window, batch, result, held=batch.held, found=batch.found)


def _one_publisher(connection: Writer, window: Window) -> None:
    """Let windows of one series that overlap publish one after the other: each compares with what is there."""
    name = f"{BAR_TABLES[window.timeframe][0].fullname}:{window.instrument.instrument_id}"
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _status(connection: Writer, window: Window, batch: Judged) -> str:
    if batch.rows_seen:
        return "published"
    if not batch.expects_bars:
        return "empty"
    before = select(ingest_windows.c.rows_seen, ingest_windows.c.pages).where(
        ingest_windows.c.window_id == window.window_id
    )
    row = connection.execute(before).one()
    # An earlier attempt that got an answer (pages) without rows: this is the second that says so.
    return "empty" if row.pages and not row.rows_seen else "empty_suspected"


def _apply(connection: Writer, window: Window, batch: Judged, changes: Changes, status: str) -> Published:
    sequence = text("select nextval(pg_get_serial_sequence('ops.ingests', 'ingest_id'))")
    ingest_id = int(connection.execute(sequence).scalar_one())
    present, _ = BAR_TABLES[window.timeframe]
    _supersede(connection, window, changes, ingest_id)
    constants: dict[str, int | str] = {"instrument_id": window.instrument.instrument_id, "ingest_id": ingest_id}
    grouped = [("first", changes.new), *changes.revised.group_by("reason", maintain_order=True)]
    reasons = []
    for key, rows in grouped:
        reason = key if isinstance(key, str) else str(key[0])
        if rows.height:
            bars = rows.select(*BAR_SCHEMA)
            named = {**constants, "reason": reason}
            copy_rows(connection, present.fullname, bars, optional=_OPTIONAL, constants=named)
            reasons.append((reason, rows.height))
    sessions = _note_sessions(connection, window, changes, ingest_id)
    _note_ingest(connection, window, batch, ingest_id)
    return Published(
        status=status,
        rows_new=changes.new.height,
        rows_revised=changes.revised.height,
        rows_withdrawn=changes.withdrawn.height,
        reasons=tuple(reasons),
        sessions=sessions,
    )


def _supersede(connection: Writer, window: Window, changes: Changes, ingest_id: int) -> None:
    """Move the versions that end now to the history table."""
    present, history = BAR_TABLES[window.timeframe]
    ended = pl.concat([changes.revised.select("ts"), changes.withdrawn.select("ts")])
    if ended.is_empty():
        return
    connection.exec_driver_sql("create temporary table ended (ts timestamptz primary key) on commit drop")
    copy_rows(connection, "ended", ended)
    columns = ", ".join(column.name for column in present.columns)
    statement = text(
        f"with moved as (delete from {present.fullname} where instrument_id = :instrument "  # noqa: S608 - fixed names
        f"and ts in (select ts from ended) returning {columns}) "
        f"insert into {history.fullname} ({columns}, superseded_by) select {columns}, :ingest from moved"
    )
    connection.execute(statement, {"instrument": window.instrument.instrument_id, "ingest": ingest_id})


def _note_sessions(connection: Writer, window: Window, changes: Changes, ingest_id: int) -> tuple[date, ...]:
    """Keep `ops.bar_sessions` true for every session with a changed bar, and return these sessions."""
    day = pl.col("ts").dt.convert_time_zone(window.zone.key).dt.date()
    touched = changes.touched().to_frame().select(day.alias("session")).unique()
    counted = changes.after.group_by(day.alias("session")).agg(
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


def _note_ingest(connection: Writer, window: Window, batch: Judged, ingest_id: int) -> None:
    """Write the ingest with the instant of this transaction: everything after this is short."""
    connection.execute(
        ingests.insert().values(
            ingest_id=ingest_id,
            window_id=window.window_id,
            attempt=window.attempt,
            source=batch.source,
            request_ids=list(batch.request_ids),
            payload_sha256=batch.payload_sha256,
            run_id=window.run_id,
            known_from=commit_instant(connection),
        )
    )


def _close(
    connection: Writer, window: Window, batch: Judged, result: Published, *, held: pl.DataFrame, found: pl.DataFrame
) -> Published:
    hold_rows(connection, window, held=held, answered=pl.concat([batch.passed["ts"], batch.held["ts"]]))
    replace_findings(connection, window, found)
    is_held = result.status == "quarantined"
    connection.execute(
        ingest_windows.update()
        .where(ingest_windows.c.window_id == window.window_id)
        .values(
            status=result.status,
            source=batch.source,
            finished_at=func.now(),
            pages=batch.pages,
            rows_seen=batch.rows_seen,
            rows_dropped=batch.rows_dropped,
            rows_new=result.rows_new,
            rows_revised=result.rows_revised,
            rows_withdrawn=result.rows_withdrawn,
            rows_held=held.height,
            error_code="blocked" if is_held else None,
        )
    )
    return result


def _everything(passed: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return all rows of a batch as held; `seq` of those that had passed is their place among them."""
    rules = pl.lit([VANISHED], dtype=pl.List(pl.String))
    rows = passed.with_row_index("seq").select(pl.col("seq").cast(pl.UInt32), *BAR_SCHEMA, rules.alias("rules"))
    return pl.concat([rows, held.select(pl.col("seq").cast(pl.UInt32), *BAR_SCHEMA, "rules")])


def _is_confirmed(connection: Writer, window: Window, batch: Judged) -> bool:
    """Return whether an earlier answer to this window had the same payload and was held for what it lacks."""
    query = (
        select(func.count())
        .select_from(findings)
        .where(
            findings.c.window_id == window.window_id,
            findings.c.rule == VANISHED,
            findings.c.state == "open",
            findings.c.evidence["payload_sha256"].astext == batch.payload_sha256,
        )
    )
    return bool(batch.payload_sha256 and connection.execute(query).scalar_one())


def _vanished(window: Window, batch: Judged, changes: Changes, known: int) -> pl.DataFrame:
    evidence = {"known": known, "missing": changes.withdrawn.height, "payload_sha256": batch.payload_sha256}
    first = changes.withdrawn["ts"][0]
    session = first.astimezone(window.zone).date()
    row = {
        "ts": first,
        "ts_end": None,
        "session": session,
        "last_session": session,
        "rule": VANISHED,
        "check": 24,
        "severity": "major",
        "verdict": "suspected",
        "term": "none",
        "evidence": json.dumps(evidence),
    }
    return pl.DataFrame([row], schema={name: FINDING_SCHEMA[name] for name in _FOUND})
