"""What the audit held and what it found, written with the bars it let through."""

import json
from datetime import datetime

import polars as pl
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from chandlery.market.bars import VALUE_COLUMNS
from chandlery.store.ingest_windows import Window
from chandlery.store.tables import findings, quarantine
from chandlery.store.warehouse import Writer

_CHUNK = 5_000


def hold_rows(connection: Writer, window: Window, *, held: pl.DataFrame, answered: pl.Series) -> None:
    """Put rows (`seq`, bar columns, `rules`) into quarantine; what `answered` holds is no longer held elsewhere."""
    mine = (quarantine.c.instrument_id == window.instrument.instrument_id) & (
        quarantine.c.timeframe == window.timeframe.value
    )
    connection.execute(quarantine.delete().where(mine & (quarantine.c.window_id == window.window_id)))
    # Another window may have held the same bar: this attempt is the newer word on it, whatever it says.
    if answered.len():
        span = (quarantine.c.ts >= window.since) & (quarantine.c.ts < window.until)
        query: Select[tuple[datetime]] = select(quarantine.c.ts).where(mine & span).distinct()
        theirs = list(connection.execute(query).scalars())
        named = set(answered) if theirs else set[datetime]()
        again = [ts for ts in theirs if ts in named]
        for first in range(0, len(again), _CHUNK):
            connection.execute(quarantine.delete().where(mine & quarantine.c.ts.in_(again[first : first + _CHUNK])))
    fixed = {
        "window_id": window.window_id,
        "instrument_id": window.instrument.instrument_id,
        "timeframe": window.timeframe.value,
    }
    rows = [{**row, **fixed} for row in held.select("seq", "ts", *VALUE_COLUMNS, "rules").to_dicts()]
    for first in range(0, len(rows), _CHUNK):
        connection.execute(quarantine.insert(), rows[first : first + _CHUNK])


def replace_findings(connection: Writer, window: Window, found: pl.DataFrame) -> None:
    """Write findings (`FINDING_SCHEMA`) in place of the window's open ones."""
    fixed = {
        "instrument_id": window.instrument.instrument_id,
        "calendar": window.instrument.calendar,
        "timeframe": window.timeframe.value,
    }
    scope = (
        (findings.c.instrument_id == window.instrument.instrument_id)
        & (findings.c.timeframe == window.timeframe.value)
        & (findings.c.session >= window.start)
        & (findings.c.session < window.end)
        & (findings.c.state == "open")
    )
    connection.execute(findings.delete().where(scope))
    if found.is_empty():
        return
    columns = found.drop("row", strict=False)
    rows = [
        {**row, **fixed, "window_id": window.window_id, "evidence": json.loads(row["evidence"])}
        for row in columns.to_dicts()
    ]
    statement = insert(findings)
    upsert = statement.on_conflict_do_nothing(index_elements=["instrument_id", "calendar", "timeframe", "ts", "rule"])
    for first in range(0, len(rows), _CHUNK):
        connection.execute(upsert, rows[first : first + _CHUNK])
