"""What sources record of an instrument's splits, dividends and tickers, in versions.

A version appears at an instant (`known_from`) and may end at one (`known_to`); nothing is overwritten. All rows of one
transaction share its instant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, Table, func, select

from chandlery.market.actions import Recorded, RecordedDividend, RecordedSplit, RecordedTicker
from chandlery.store.instants import commit_instant
from chandlery.store.tables import dividends, instruments, splits, ticker_events
from chandlery.store.warehouse import Reader, Warehouse, Writer

Entity = Literal["splits", "dividends", "ticker_events"]

_TABLES: Mapping[Entity, Table] = {"splits": splits, "dividends": dividends, "ticker_events": ticker_events}
_VERSIONING = ("instrument_id", "source", "known_from", "known_to")


@dataclass(frozen=True, slots=True)
class Changes:
    """Versions that appeared and versions that ended in one transaction."""

    new: int = 0
    gone: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        """Return both together."""
        return Changes(self.new + other.new, self.gone + other.gone)


def record(
    connection: Writer, entity: Entity, *, instrument_id: int, rows: Iterable[Mapping[str, object]], source: str
) -> Changes:
    """Make `rows` what this source records of an instrument: new ones appear, absent ones end, equal ones stay.

    A row that another source has recorded already is not stored twice, and only rows of this source end. Of rows that
    differ in nothing but their other columns the last in order of those is kept.

    Args:
        connection: the transaction; it holds the instrument until it ends.
        entity: the table.
        instrument_id: the instrument.
        rows: by column, all but the versioning ones.
        source: who says so.
    """
    table = _TABLES[entity]
    facts = [column.name for column in table.columns if column.name not in _VERSIONING]
    key = [column.name for column in table.primary_key if column.name in facts]
    hold_instrument(connection, instrument_id)
    ordered = sorted(rows, key=lambda row: [str(row[name]) for name in facts])
    wanted = {_pick(row, facts) for row in {_pick(row, key): row for row in ordered}.values()}
    rows_there = connection.execute(_present(table, instrument_id)).mappings()
    present = [{column.name: row[column.name] for column in table.columns} for row in rows_there]
    known = {_pick(row, facts) for row in present}
    new = [fact for fact in (_pick(row, facts) for row in ordered) if fact in wanted - known]
    gone = [row for row in present if row["source"] == source and _pick(row, facts) not in wanted]
    if not new and not gone:
        return Changes()
    instant = commit_instant(connection)
    for row in gone:
        same = [table.c[name] == row[name] for name in (*key, "instrument_id", "known_from")]
        connection.execute(table.update().where(*same).values(known_to=instant))
    versioning = {"instrument_id": instrument_id, "source": source, "known_from": instant}
    values = [dict(zip(facts, fact, strict=True)) | versioning for fact in dict.fromkeys(new)]
    if values:
        connection.execute(table.insert(), values)
    return Changes(len(values), len(gone))


def has_recorded(warehouse: Warehouse, entity: Entity, *, instrument_id: int, source: str) -> bool:
    """Tell whether a source records anything of an instrument at present."""
    table = _TABLES[entity]
    mine = _present(table, instrument_id).where(table.c.source == source).subquery()
    with warehouse.read() as connection:
        return bool(connection.execute(select(func.count()).select_from(mine)).scalar_one())


def read_records(connection: Reader | Writer, instrument_id: int) -> tuple[Recorded, ...]:
    """Return what all sources record of an instrument at present, in no order."""
    found: list[Recorded] = [
        RecordedSplit(day=row.execution_date, split_from=row.split_from, split_to=row.split_to, source=row.source)
        for row in connection.execute(_present(splits, instrument_id))
    ]
    found += [
        RecordedDividend(
            day=row.ex_dividend_date,
            cash=row.cash_amount,
            currency=row.currency,
            distribution=row.kind,
            source=row.source,
        )
        for row in connection.execute(_present(dividends, instrument_id))
    ]
    found += [
        RecordedTicker(day=row.event_date, ticker=row.ticker, source=row.source)
        for row in connection.execute(_present(ticker_events, instrument_id))
    ]
    return tuple(found)


def hold_instrument(connection: Writer, instrument_id: int) -> None:
    """Make other writers of this instrument's versions wait: two that compare at once would both add a row."""
    held = select(instruments.c.instrument_id).where(instruments.c.instrument_id == instrument_id)
    connection.execute(held.with_for_update(key_share=True))


def _present(table: Table, instrument_id: int) -> Select[tuple[object, ...]]:
    return select(table).where(table.c.instrument_id == instrument_id, table.c.known_to.is_(None))


def _pick(row: Mapping[str, object], names: Iterable[str]) -> tuple[object, ...]:
    return tuple(row[name] for name in names)
