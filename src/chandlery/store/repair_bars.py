"""Bars as a repair keeps them: JSON rows, so that what stood before can be read and put back to the last bit.

A row of `before` is a published bar (`ingest_id` says which version) or a row of quarantine (`held` has the rest of
it). Numbers JSON lacks stand as text: `NaN`, `Infinity`, `-Infinity`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Column, ColumnElement, DateTime, RowMapping, Table, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from chandlery.market.bars import BAR_SCHEMA, VALUE_COLUMNS
from chandlery.market.timeframes import Timeframe
from chandlery.store.history import BAR_TABLES
from chandlery.store.tables import quarantine
from chandlery.store.warehouse import Reader, Writer

BarRow = Mapping[str, Any]
_HELD = ("window_id", "seq", "rules", "held_at")


def rows_of(bars: pl.DataFrame) -> list[dict[str, Any]]:
    """Return bars (`BAR_SCHEMA`) as JSON rows, in their order."""
    return [_coded(row) for row in bars.select(*BAR_SCHEMA).to_dicts()]


def frame_of(rows: Iterable[BarRow]) -> pl.DataFrame:
    """Return JSON rows as bars in `BAR_SCHEMA`, in their order; values are those that were kept."""
    return pl.DataFrame([_decoded(row) for row in rows], schema=BAR_SCHEMA)


def instants_of(rows: Iterable[BarRow]) -> list[datetime]:
    """Return the distinct ts of rows, ascending."""
    return sorted({datetime.fromisoformat(row["ts"]) for row in rows})


def rows_at(
    connection: Reader | Writer, instrument_id: int, timeframe: Timeframe, instants: Sequence[datetime]
) -> list[dict[str, Any]]:
    """Return what is published and what is held at instants, as JSON rows by ts, the published one first."""
    present, _ = BAR_TABLES[timeframe]
    mine = (present.c.instrument_id == instrument_id, one_of(present.c.ts, instants))
    published = connection.execute(select(*_values(present), present.c.ingest_id).where(*mine)).mappings()
    theirs = (
        quarantine.c.instrument_id == instrument_id,
        quarantine.c.timeframe == timeframe.value,
        one_of(quarantine.c.ts, instants),
    )
    held = connection.execute(
        select(*_values(quarantine), *(quarantine.c[name] for name in _HELD))
        .where(*theirs)
        .order_by(quarantine.c.window_id, quarantine.c.seq)
    ).mappings()
    rows = [{**_coded(row), "ingest_id": row["ingest_id"]} for row in published]
    rows += [{**_coded(row), "held": {name: _plain(row[name]) for name in _HELD}} for row in held]
    return sorted(rows, key=lambda row: (row["ts"], "held" in row))


def said_by(rows: Iterable[BarRow]) -> list[tuple[object, ...]]:
    """Return what rows say, without how they came: ts, values, and whether it is held."""
    # As text: NaN is not equal to itself, and JSON gives 1e308 back as a whole number.
    return sorted((*(str(value) for value in _decoded(row).values()), "held" in row) for row in rows)


def one_of(column: Column[Any], instants: Sequence[datetime]) -> ColumnElement[bool]:
    """Return the condition that `column` is one of many instants, as one parameter."""
    return column == any_(bindparam(None, list(instants), type_=ARRAY(DateTime(timezone=True))))


def _values(table: Table) -> list[Column[Any]]:
    return [table.c[name] for name in BAR_SCHEMA]


def _coded(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    return {name: _plain(row[name]) for name in BAR_SCHEMA}


def _decoded(row: BarRow) -> dict[str, Any]:
    numbers = {name: row[name] for name in VALUE_COLUMNS}
    floats = {name: None if value is None else float(value) for name, value in numbers.items()}
    return {"ts": datetime.fromisoformat(row["ts"]), **floats, "trade_count": numbers["trade_count"]}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
