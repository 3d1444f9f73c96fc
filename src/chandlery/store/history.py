"""Versions of bars: the present, the state as of an earlier instant, every version, and what changed between two.

`as_of` T sees a version if the ingest that brought it committed at or before T and the one that replaced it, if any,
after T. Before the first commit there is nothing, not a guess.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Executable, Select, Table, literal, select, union_all

from chandlery.market.bars import BAR_SCHEMA, VALUE_COLUMNS
from chandlery.market.timeframes import Timeframe
from chandlery.store.instants import settle
from chandlery.store.tables import (
    bars_1d,
    bars_1d_history,
    bars_1m,
    bars_1m_history,
    ingest_windows,
    ingests,
)
from chandlery.store.warehouse import Reader, Warehouse, Writer

BAR_TABLES: dict[Timeframe, tuple[Table, Table]] = {
    Timeframe.M1: (bars_1m, bars_1m_history),
    Timeframe.D1: (bars_1d, bars_1d_history),
}
"""The present versions and the ended ones, by timeframe."""

VERSION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **BAR_SCHEMA,
    "reason": pl.String,
    "source": pl.String,
    "known_from": pl.Datetime("us", "UTC"),
    "known_to": pl.Datetime("us", "UTC"),
    "request_ids": pl.List(pl.String),
    "run_id": pl.String,
}
"""A version of a bar: why it came, who published it, when it was known, by which requests and which run."""


@dataclass(frozen=True, slots=True)
class Series:
    """Bars of one instrument and timeframe with `since <= ts < until`."""

    instrument_id: int
    timeframe: Timeframe
    since: datetime
    until: datetime


def present_bars(
    connection: Reader | Writer, instrument_id: int, timeframe: Timeframe, since: datetime, until: datetime
) -> pl.DataFrame:
    """Return the present versions in `BAR_SCHEMA`, ascending, as this connection sees them."""
    table, _ = BAR_TABLES[timeframe]
    query = _columns(table, *_span(table, Series(instrument_id, timeframe, since, until)))
    return _frame(connection, query, BAR_SCHEMA)


def bars_as_of(warehouse: Warehouse, series: Series, as_of: datetime | None) -> pl.DataFrame:
    """Return the bars as they were known at an instant (None: now) in `BAR_SCHEMA`, ascending.

    Raises:
        InvalidInput: `as_of` lies in the future.
    """
    if as_of is None:
        with warehouse.read() as connection:
            return present_bars(connection, series.instrument_id, series.timeframe, series.since, series.until)
    settle(warehouse, as_of)
    present, history = BAR_TABLES[series.timeframe]
    replaced = ingests.alias("replaced")
    now = (
        _columns(present, *_span(present, series), ingests.c.known_from <= as_of)
        .join(ingests, ingests.c.ingest_id == present.c.ingest_id)
        .order_by(None)
    )
    before = (
        _columns(history, *_span(history, series), ingests.c.known_from <= as_of, replaced.c.known_from > as_of)
        .join(ingests, ingests.c.ingest_id == history.c.ingest_id)
        .join(replaced, replaced.c.ingest_id == history.c.superseded_by)
        .order_by(None)
    )
    with warehouse.read() as connection:
        return _frame(connection, union_all(now, before), BAR_SCHEMA).sort("ts")


def versions(warehouse: Warehouse, series: Series) -> pl.DataFrame:
    """Return every version of every bar in `VERSION_SCHEMA`, by `ts` and `known_from`."""
    present, history = BAR_TABLES[series.timeframe]
    replaced = ingests.alias("replaced")
    facts = (ingests.c.source, ingests.c.known_from)
    rest = (ingests.c.request_ids, ingests.c.run_id)
    now = select(*_values(present), present.c.reason, *facts, literal(None).label("known_to"), *rest)
    before = select(*_values(history), history.c.reason, *facts, replaced.c.known_from.label("known_to"), *rest)
    query = union_all(
        now.join(ingests, ingests.c.ingest_id == present.c.ingest_id).where(*_span(present, series)),
        before.join(ingests, ingests.c.ingest_id == history.c.ingest_id)
        .join(replaced, replaced.c.ingest_id == history.c.superseded_by)
        .where(*_span(history, series)),
    )
    with warehouse.read() as connection:
        return _frame(connection, query, VERSION_SCHEMA).sort("ts", "known_from")


def changes_between(warehouse: Warehouse, series: Series, earlier: datetime, later: datetime) -> pl.DataFrame:
    """Return how the bars known at `later` differ from those known at `earlier`, ascending by `ts`.

    Columns: `ts`, `change` (added, revised, withdrawn), `reason` (of the later version, null if withdrawn), and each
    value as `<name>_before` and `<name>_after`. Versions that came and went in between do not show.

    Raises:
        InvalidInput: either instant lies in the future.
    """
    before = bars_as_of(warehouse, series, earlier)
    after = bars_as_of(warehouse, series, later)
    every = versions(warehouse, series).filter(
        (pl.col("known_from") <= later) & (pl.col("known_to").is_null() | (pl.col("known_to") > later))
    )
    joined = before.join(after, on="ts", how="full", coalesce=True, suffix="_after")
    joined = joined.join(every.select("ts", "reason"), on="ts", how="left").sort("ts")
    is_added = pl.col("ts").is_in(before["ts"].implode()).not_()
    is_withdrawn = pl.col("ts").is_in(after["ts"].implode()).not_()
    differs = pl.any_horizontal([pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in VALUE_COLUMNS])
    change = (
        pl.when(is_added)
        .then(pl.lit("added"))
        .when(is_withdrawn)
        .then(pl.lit("withdrawn"))
        .when(differs)
        .then(pl.lit("revised"))
    )
    values = [column for name in VALUE_COLUMNS for column in (pl.col(name).alias(f"{name}_before"), f"{name}_after")]
    return joined.select("ts", change.alias("change"), "reason", *values).drop_nulls("change")


def sources_of(
    warehouse: Warehouse, instrument_id: int, timeframe: Timeframe, as_of: datetime | None = None
) -> tuple[str, ...]:
    """Return who had published bars of a series at an instant (None: now), in alphabetical order."""
    query = (
        select(ingests.c.source)
        .join(ingest_windows, ingest_windows.c.window_id == ingests.c.window_id)
        .where(ingest_windows.c.instrument_id == instrument_id, ingest_windows.c.timeframe == timeframe.value)
        .distinct()
    )
    if as_of is not None:
        query = query.where(ingests.c.known_from <= as_of)
    with warehouse.read() as connection:
        names: list[str] = list(connection.execute(query).scalars())
    return tuple(sorted({part for name in names for part in name.split("+")}))


def _values(table: Table) -> list[Any]:
    return [table.c[name] for name in BAR_SCHEMA]


def _columns(table: Table, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(*_values(table)).where(*conditions).order_by(table.c.ts)


def _span(table: Table, series: Series) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.instrument_id == series.instrument_id,
        table.c.ts >= series.since,
        table.c.ts < series.until,
    )


def _frame(
    connection: Reader | Writer, query: Executable, schema: dict[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    rows = connection.execute(query).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
