"""What the audit held and what it found, written with the bars it let through."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from sqlalchemy import Select, select

from chandlery.market.bars import VALUE_COLUMNS
from chandlery.store.ingest_windows import Window
from chandlery.store.recorded_findings import Scope, record_batch
from chandlery.store.tables import quarantine
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


def replace_findings(connection: Writer, window: Window, found: pl.DataFrame, *, unheard: Sequence[str] = ()) -> None:
    """Record what the gate found (`FINDING_SCHEMA`) in place of what it had found of the window's sessions.

    What rules in `unheard`, which could not be evaluated, had found stays as it is.
    """
    scope = Scope(
        calendar=window.instrument.calendar,
        timeframe=window.timeframe.value,
        start=window.start,
        end=window.end,
        instrument_id=window.instrument.instrument_id,
    )
    record_batch(connection, scope, found, window_id=window.window_id, unheard=unheard)
