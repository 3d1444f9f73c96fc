"""Which version of a flat file was brought in, so that a replaced one is noticed and an unchanged one is not read."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chandlery.store.tables import flat_files
from chandlery.store.warehouse import Warehouse


def known_etag(warehouse: Warehouse, path: str) -> str | None:
    """Return the ETag of the version that was brought in last, None if none was."""
    with warehouse.read() as connection:
        return connection.execute(select(flat_files.c.etag).where(flat_files.c.path == path)).scalar()


def note_file(warehouse: Warehouse, path: str, *, etag: str, size: int, rows: int) -> None:
    """Record that this version of a file is in; call it after the last of its windows."""
    facts = {"etag": etag, "bytes": size, "rows": rows}
    again = {**facts, "ingests": flat_files.c.ingests + 1, "seen_at": func.now()}
    statement = insert(flat_files).values(path=path, **facts)
    with warehouse.write() as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=["path"], set_=again))
