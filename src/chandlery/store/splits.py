"""Splits as the source records them."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from chandlery.store.tables import splits
from chandlery.store.warehouse import Writer


def upsert_splits(connection: Writer, *, instrument_id: int, rows: Iterable[tuple[date, int, int]], source: str) -> int:
    """Store (execution_date, split_from, split_to) rows of one instrument; return how many are new or changed."""
    changed = 0
    for execution_date, split_from, split_to in rows:
        statement = insert(splits).values(
            instrument_id=instrument_id,
            execution_date=execution_date,
            split_from=split_from,
            split_to=split_to,
            source=source,
        )
        new = {"split_from": split_from, "split_to": split_to, "source": source, "known_from": func.now()}
        differs = (splits.c.split_from != split_from) | (splits.c.split_to != split_to)
        upsert = statement.on_conflict_do_update(
            index_elements=["instrument_id", "execution_date"], set_=new, where=differs
        )
        changed += len(connection.execute(upsert.returning(splits.c.execution_date)).all())
    return changed
