"""Repairs that stand: which present bars are repaired, what the source had said of them, and when its word ends that.

A bar stands as repaired while its present version is the one an applied repair brought. A repair may lie on another:
what it replaced names its ingest, so the chain is followed down, and what any of them replaced is no news.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import polars as pl
from sqlalchemy import Row, func, select

from chandlery.market.bars import TS
from chandlery.market.repaired import ORIGINAL_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.store.finding_notes import note_event
from chandlery.store.history import BAR_TABLES
from chandlery.store.repair_bars import BarRow, frame_of, instants_of, one_of
from chandlery.store.tables import findings, repairs
from chandlery.store.warehouse import Writer

_COLUMNS = ("repair_id", "finding_id", "status", "before", "after", "ingest_id", "undone_by")


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """One repair that was applied once: who found what, and the rows it replaced by ts."""

    repair_id: int
    finding_id: int
    status: str
    ingest_id: int
    undone_by: int | None
    found: tuple[datetime, str]
    bars: frozenset[datetime]
    before: Mapping[datetime, list[BarRow]]

    def replaced(self, ts: datetime) -> int | None:
        """Return the ingest of the version it replaced; None where nothing was published."""
        return next((row["ingest_id"] for row in self.before.get(ts, ()) if "ingest_id" in row), None)


@dataclass(frozen=True, eq=False)
class Standing:
    """The repairs of which a part lies in a window, by bar that stands as repaired, the latest first."""

    by_bar: Mapping[datetime, tuple[_Laid, ...]]

    @property
    def bars(self) -> pl.Series:
        """The ts of the bars that stand as repaired."""
        return pl.Series("ts", list(self.by_bar), dtype=TS)

    @cached_property
    def originals(self) -> pl.DataFrame:
        """What stood in place of the repaired bars, in `ORIGINAL_SCHEMA`."""
        rows = [row for ts, laid in self.by_bar.items() for repair in laid for row in repair.before.get(ts, ())]
        bare = [ts for ts, laid in self.by_bar.items() if any(ts not in repair.before for repair in laid)]
        said = frame_of(rows).with_columns(is_absent=pl.lit(value=False))
        nothing = pl.DataFrame({"ts": bare, "is_absent": [True] * len(bare)}, schema_overrides=ORIGINAL_SCHEMA)
        return pl.concat([said, nothing], how="diagonal").select(*ORIGINAL_SCHEMA)

    def topmost(self, repair_id: int) -> set[datetime]:
        """Return the ts of the bars that stand as this repair left them."""
        return {ts for ts, laid in self.by_bar.items() if laid[0].repair_id == repair_id}

    def settled(self, kept: Collection[datetime]) -> set[tuple[datetime, str]]:
        """Return (ts, rule) of the findings whose repair stands although the answer says again what it replaced."""
        repairs_here = {repair.repair_id: repair for laid in self.by_bar.values() for repair in laid}
        return {repair.found for repair in repairs_here.values() if repair.bars & set(kept)}


def standing_repairs(
    connection: Writer, instrument_id: int, timeframe: Timeframe, since: datetime, until: datetime
) -> Standing:
    """Return the repairs of present bars with `since <= ts < until`, with their other bars."""
    query = (
        select(*(repairs.c[name] for name in _COLUMNS), findings.c.ts, findings.c.rule)
        .join(findings, findings.c.finding_id == repairs.c.finding_id)
        .where(
            repairs.c.instrument_id == instrument_id,
            repairs.c.timeframe == timeframe.value,
            repairs.c.ingest_id.is_not(None),
        )
    )
    laid = [_laid(row) for row in connection.execute(query)]
    near = [repair for repair in laid if any(since <= ts < until for ts in repair.bars)]
    bars = sorted({ts for repair in near for ts in repair.bars})
    if not bars:
        return Standing({})
    by_ingest = {repair.ingest_id: repair for repair in laid if repair.status == "applied"}
    by_undoing = {repair.undone_by: repair for repair in laid if repair.undone_by is not None}
    present, _ = BAR_TABLES[timeframe]
    now = select(present.c.ts, present.c.ingest_id).where(
        present.c.instrument_id == instrument_id, one_of(present.c.ts, bars)
    )
    chains = {row.ts: tuple(_chain(row.ts, row.ingest_id, by_ingest, by_undoing)) for row in connection.execute(now)}
    return Standing({ts: chain for ts, chain in chains.items() if chain})


def note_superseded(connection: Writer, standing: Standing, touched: pl.Series, *, source: str) -> None:
    """Note the repairs whose bars a new answer replaced; one without a bar left is superseded.

    Args:
        connection: the transaction.
        standing: what stood before the answer.
        touched: ts of the bars the answer changed or withdrew.
        source: who answered.
    """
    gone = {ts: standing.by_bar[ts] for ts in touched if ts in standing.by_bar}
    left = Counter(repair.repair_id for ts, laid in standing.by_bar.items() if ts not in gone for repair in laid)
    for repair in {repair.repair_id: repair for laid in gone.values() for repair in laid}.values():
        bars = sorted(ts.isoformat() for ts, laid in gone.items() if repair in laid)
        detail = {"repair_id": repair.repair_id, "bars": bars, "source": source}
        if not left[repair.repair_id]:
            values = {"status": "superseded", "decided_at": func.clock_timestamp(), "decided_by": source}
            connection.execute(repairs.update().where(repairs.c.repair_id == repair.repair_id).values(**values))
        note_event(connection, repair.finding_id, "repair_superseded", actor=source, detail=detail)


def _chain(
    ts: datetime, ingest: int | None, by_ingest: Mapping[int, _Laid], by_undoing: Mapping[int, _Laid]
) -> Iterator[_Laid]:
    """Yield the applied repairs that lie on each other at a bar, the latest first; ingests only grow older."""
    while ingest is not None:
        if (undone := by_undoing.get(ingest)) is not None:
            ingest = undone.replaced(ts)
        elif (repair := by_ingest.get(ingest)) is not None:
            yield repair
            ingest = repair.replaced(ts)
        else:
            return


def _laid(row: Row[Any]) -> _Laid:
    before: dict[datetime, list[BarRow]] = {}
    for item in row.before:
        before.setdefault(datetime.fromisoformat(item["ts"]), []).append(item)
    bars = frozenset(instants_of(row.after))
    found = (row.ts.astimezone(UTC), row.rule)
    return _Laid(row.repair_id, row.finding_id, row.status, row.ingest_id, row.undone_by, found, bars, before)
