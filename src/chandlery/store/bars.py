"""Publish bars: one audited batch becomes bars, history, quarantine and findings in one transaction, or not at all.

A window is (instrument, timeframe, [start, end) sessions) and keeps its id over all attempts. Every version of a bar
names the ingest that brought it; a version that is replaced or withdrawn moves to the history table with the ingest
that did it. The present has no history columns and needs no window function; a bar with one version costs no second
row. A kill at any point leaves the window `running` and nothing else.
"""

import json
from dataclasses import dataclass, replace
from datetime import date

import polars as pl
from sqlalchemy import func, select

from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.repaired import uphold_repairs
from chandlery.market.revisions import Changes, compare
from chandlery.store.bar_versions import Origin, Versions, hold_series, write_versions
from chandlery.store.history import present_bars
from chandlery.store.holding import hold_rows, replace_findings
from chandlery.store.ingest_windows import Window, require_latest
from chandlery.store.standing_repairs import Standing, note_superseded, standing_repairs
from chandlery.store.tables import findings, ingest_windows
from chandlery.store.warehouse import Warehouse, Writer

_FOUND = tuple(name for name in FINDING_SCHEMA if name != "row")
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
        unheard: names of rules that could not be evaluated; what they found before still stands.
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
    unheard: tuple[str, ...] = ()


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
    stays suspected until a second attempt agrees, and never withdraws a bar. A repaired bar stays as repaired while the
    answer says of it what it had said before the repair (`market/repaired.py`). The batch's findings replace the
    window's open ones.

    Raises:
        Conflict: another attempt at this window began meanwhile; nothing is changed.
    """
    with warehouse.write() as connection:
        require_latest(connection, window)
        hold_series(connection, window.instrument.instrument_id, window.timeframe)
        if batch.blocked:
            return _close(connection, window, batch, Published("quarantined"), held=batch.held, found=batch.found)
        series = (window.instrument.instrument_id, window.timeframe, window.since, window.until)
        known, standing = present_bars(connection, *series), standing_repairs(connection, *series)
        batch = _upheld(batch, known, standing)
        changes = compare(known, batch.passed, batch.held.get_column("ts"), unpublished=batch.unpublished)
        changes = _named(changes, standing)
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
        if standing.by_bar:
            note_superseded(connection, standing, changes.touched(), source=batch.source)
        return _close(connection, window, batch, result, held=batch.held, found=batch.found)


def _upheld(batch: Judged, known: pl.DataFrame, standing: Standing) -> Judged:
    """Return the batch with repaired bars as repaired, where it says of them what it had said before."""
    if not standing.by_bar:
        return batch
    upheld = uphold_repairs(known, batch.passed, batch.held, standing.originals, unpublished=batch.unpublished)
    answered = pl.DataFrame(list(standing.settled(upheld.kept)), schema={"ts": TS, "rule": pl.String}, orient="row")
    # What is found of a bar that is not taken is not found of ours, nor is what its repair has settled.
    is_moot = pl.col("row").is_not_null() & pl.col("ts").is_in(upheld.kept.implode())
    found = batch.found.filter(~is_moot).join(answered, on=["ts", "rule"], how="anti", maintain_order="left")
    return replace(batch, passed=upheld.passed, held=upheld.held, found=found)


def _named(changes: Changes, standing: Standing) -> Changes:
    """Call what replaces a repaired bar a correction: beside a value of ours nothing of the source's reason shows."""
    if not standing.by_bar or changes.revised.is_empty():
        return changes
    is_ours = pl.col("ts").is_in(standing.bars.implode())
    reason = pl.when(is_ours).then(pl.lit("vendor_correction")).otherwise("reason").alias("reason")
    return replace(changes, revised=changes.revised.with_columns(reason))


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
    first = changes.new.with_columns(reason=pl.lit("first"))
    ended = pl.concat([changes.revised.get_column("ts"), changes.withdrawn.get_column("ts")])
    written = write_versions(
        connection,
        window,
        Versions(pl.concat([first, changes.revised]), ended, changes.after),
        Origin(batch.source, batch.request_ids, batch.payload_sha256),
    )
    return Published(
        status=status,
        rows_new=changes.new.height,
        rows_revised=changes.revised.height,
        rows_withdrawn=changes.withdrawn.height,
        reasons=written.reasons,
        sessions=written.sessions,
    )


def _close(
    connection: Writer, window: Window, batch: Judged, result: Published, *, held: pl.DataFrame, found: pl.DataFrame
) -> Published:
    hold_rows(connection, window, held=held, answered=pl.concat([batch.passed["ts"], batch.held["ts"]]))
    replace_findings(connection, window, found, unheard=batch.unheard)
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
