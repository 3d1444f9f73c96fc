"""Write, audit, publish: a batch lands beside the bars and joins them in one transaction, or not at all.

A window is (instrument, timeframe, [start, end) sessions) and keeps its id over all attempts. A kill at any
point leaves at most rows in the landing table, which the next attempt of the window removes first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import ColumnElement, Table, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from chandlery.errors import Conflict
from chandlery.market.bars import VALUE_COLUMNS
from chandlery.market.timeframes import Timeframe
from chandlery.store.frames import append_frame
from chandlery.store.tables import bars_1d, bars_1m, findings, ingest_windows, landing, quarantine
from chandlery.store.warehouse import Warehouse, Writer

_BARS: dict[Timeframe, Table] = {Timeframe.M1: bars_1m, Timeframe.D1: bars_1d}
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Window:
    """One ingest window under way."""

    window_id: int
    instrument_id: int
    timeframe: Timeframe
    start: date
    end: date
    attempt: int


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing a window changed."""

    rows_new: int
    rows_revised: int


def begin_window(
    warehouse: Warehouse, *, instrument_id: int, timeframe: Timeframe, start: date, end: date, run_id: str | None
) -> Window:
    """Mark the window running, clear what an earlier attempt left, and return it."""
    facts = {"instrument_id": instrument_id, "timeframe": timeframe.value, "start_session": start, "end_session": end}
    statement = insert(ingest_windows).values(**facts, status="running", run_id=run_id, attempts=1)
    again = {
        "status": "running",
        "run_id": run_id,
        "attempts": ingest_windows.c.attempts + 1,
        "started_at": func.now(),
        "finished_at": None,
        "error_code": None,
    }
    upsert = statement.on_conflict_do_update(index_elements=list(facts), set_=again)
    with warehouse.write() as connection:
        row = connection.execute(upsert.returning(ingest_windows.c.window_id, ingest_windows.c.attempts)).one()
        connection.execute(landing.delete().where(landing.c.window_id == row[0]))
    return Window(row[0], instrument_id, timeframe, start, end, row[1])


def land(warehouse: Warehouse, window: Window, bars: pl.DataFrame) -> int:
    """Append the batch to the landing table, row number as `seq`; return the number of rows."""
    if bars.is_empty():
        return 0
    rows = bars.select("ts", *VALUE_COLUMNS).with_row_index("seq")
    rows = rows.with_columns(pl.col("seq").cast(pl.Int32), window_id=pl.lit(window.window_id, dtype=pl.Int64))
    return append_frame(warehouse, rows, schema="raw", table=landing.name)


def publish(
    warehouse: Warehouse,
    window: Window,
    *,
    held: Sequence[int],
    held_rules: Sequence[Sequence[str]],
    found: pl.DataFrame,
    source: str,
    facts: dict[str, int],
    blocked: bool,
) -> Published:
    """Move the landed rows where they belong, in one transaction.

    Rows whose `seq` is in `held` go to quarantine with the names of their rules; all others become bars, unless
    `blocked`: then every row is held. An unchanged bar is not written. `found` (columns ts, session, rule, severity,
    evidence as JSON text) replaces the window's open findings.

    Raises:
        Conflict: another attempt at this window began meanwhile and owns its landed rows; nothing is changed.
    """
    with warehouse.write() as connection:
        _require_latest(connection, window)
        _hold(connection, window, held=held, rules=held_rules, everything=blocked)
        result = Published(0, 0) if blocked else _merge(connection, window, held=held, source=source)
        _replace_findings(connection, window, found)
        status = "quarantined" if blocked else "published" if facts["rows_seen"] else "empty"
        changes = {"rows_new": result.rows_new, "rows_revised": result.rows_revised, **facts}
        changes["rows_held"] = facts["rows_seen"] if blocked else len(held)
        connection.execute(
            ingest_windows.update()
            .where(ingest_windows.c.window_id == window.window_id)
            .values(status=status, source=source, finished_at=func.now(), **changes)
        )
        connection.execute(landing.delete().where(landing.c.window_id == window.window_id))
    return result


def fail_window(warehouse: Warehouse, window: Window, *, code: str) -> None:
    """Record that the window failed; nothing of it is visible.

    An attempt that was superseded changes nothing: the landed rows and the status are the later one's.
    """
    with warehouse.write() as connection:
        if _latest_attempt(connection, window) != window.attempt:
            return
        connection.execute(landing.delete().where(landing.c.window_id == window.window_id))
        connection.execute(
            ingest_windows.update()
            .where(ingest_windows.c.window_id == window.window_id)
            .values(status="failed", error_code=code, finished_at=func.now())
        )


def _latest_attempt(connection: Writer, window: Window) -> int:
    """Return the number of the latest attempt and keep others from beginning until the transaction ends."""
    mine = select(ingest_windows.c.attempts).where(ingest_windows.c.window_id == window.window_id)
    latest: int = connection.execute(mine.with_for_update()).scalar_one()
    return latest


def _require_latest(connection: Writer, window: Window) -> None:
    latest = _latest_attempt(connection, window)
    if latest != window.attempt:
        raise Conflict(
            f"Attempt {window.attempt} at window {window.window_id} was to be published, but attempt {latest} has "
            "begun and owns it. Nothing was changed; that attempt brings the window in."
        )


def _hold(
    connection: Writer, window: Window, *, held: Sequence[int], rules: Sequence[Sequence[str]], everything: bool
) -> None:
    span = (
        (quarantine.c.instrument_id == window.instrument_id)
        & (quarantine.c.timeframe == window.timeframe.value)
        & (quarantine.c.window_id == window.window_id)
    )
    landed = select(landing.c.ts).where(landing.c.window_id == window.window_id)
    # Another window may have held the same bar: this attempt is the newer word on it.
    again = (
        (quarantine.c.instrument_id == window.instrument_id)
        & (quarantine.c.timeframe == window.timeframe.value)
        & quarantine.c.ts.in_(landed)
    )
    connection.execute(quarantine.delete().where(span | again))
    named = dict(zip(held, rules, strict=True))
    wanted = landing.c.window_id == window.window_id
    if not everything:
        wanted &= landing.c.seq.in_(list(held))
    if not everything and not held:
        return
    rows = connection.execute(select(landing).where(wanted)).mappings().all()
    fixed = {"instrument_id": window.instrument_id, "timeframe": window.timeframe.value}
    batch = [{**row, **fixed, "rules": list(named.get(row["seq"], ["batch_is_blocked"]))} for row in rows]
    for first in range(0, len(batch), _CHUNK):
        connection.execute(quarantine.insert(), batch[first : first + _CHUNK])


def _merge(connection: Writer, window: Window, *, held: Sequence[int], source: str) -> Published:
    bars = _BARS[window.timeframe]
    wanted: ColumnElement[bool] = landing.c.window_id == window.window_id
    if held:
        wanted &= landing.c.seq.not_in(list(held))
    extra = [text(":instrument_id"), text(":source"), text(":window")]
    landed = select(landing.c.ts, *(landing.c[name] for name in VALUE_COLUMNS), *extra).where(wanted)
    names = ["ts", *VALUE_COLUMNS, "instrument_id", "source", "window_id"]
    statement = insert(bars).from_select(names, landed)
    changed = {name: statement.excluded[name] for name in (*VALUE_COLUMNS, "source", "window_id")}
    differs = tuple_(*(bars.c[name] for name in VALUE_COLUMNS)).is_distinct_from(
        tuple_(*(statement.excluded[name] for name in VALUE_COLUMNS))
    )
    upsert = statement.on_conflict_do_update(
        index_elements=["instrument_id", "ts"], set_={**changed, "known_from": func.now()}, where=differs
    ).returning(text("(xmax = 0) as is_new"))
    written = upsert.cte("written")
    is_new = text("written.is_new")
    counts = select(func.count().filter(is_new), func.count()).select_from(written)
    values = {"instrument_id": window.instrument_id, "source": source, "window": window.window_id}
    new, total = connection.execute(counts, values).one()
    return Published(new, total - new)


def _replace_findings(connection: Writer, window: Window, found: pl.DataFrame) -> None:
    scope = (
        (findings.c.instrument_id == window.instrument_id)
        & (findings.c.timeframe == window.timeframe.value)
        & (findings.c.session >= window.start)
        & (findings.c.session < window.end)
        & (findings.c.state == "open")
    )
    connection.execute(findings.delete().where(scope))
    if found.is_empty():
        return
    fixed = {
        "instrument_id": window.instrument_id,
        "timeframe": window.timeframe.value,
        "window_id": window.window_id,
    }
    columns = found.select("ts", "session", "rule", "severity", "evidence")
    rows = [{**row, **fixed, "evidence": json.loads(row["evidence"])} for row in columns.to_dicts()]
    statement = insert(findings)
    upsert = statement.on_conflict_do_nothing(index_elements=["instrument_id", "timeframe", "ts", "rule"])
    for first in range(0, len(rows), _CHUNK):
        connection.execute(upsert, rows[first : first + _CHUNK])
