"""Rows of exports: what was made of a study, where it lies, until when."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from chandlery.errors import ExportExpired, NotFound
from chandlery.store.tables import exports, studies
from chandlery.store.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One row of `research.exports`; `path` is below the export folder, `expires_at` None: never."""

    export_id: str
    study_id: str
    kind: str
    file_name: str
    mime_type: str
    size: int
    sha256: str
    path: str
    created_at: datetime
    expires_at: datetime | None
    removed_at: datetime | None = None

    @property
    def command(self) -> str:
        """The command that makes it again."""
        what, _, form = self.kind.rpartition("_")
        return f"chandlery export {form} {self.study_id[:12]}" + (f" --what {what}" if what else "")


def add_export(warehouse: Warehouse, export: Export) -> None:
    """Store an export.

    Raises:
        NotFound: no such study.
    """
    row = {field.name: getattr(export, field.name) for field in fields(export)}
    with warehouse.write() as connection:
        study = select(studies.c.study_id).where(studies.c.study_id == export.study_id)
        # Held, so that the study cannot go before the export stands.
        if connection.execute(study.with_for_update(read=True)).one_or_none() is None:
            raise NotFound(f"An export of study {export.study_id} was to be stored, but there is no such study.")
        connection.execute(exports.insert().values(**row))


def find_export(warehouse: Warehouse, export_id: str, *, now: datetime) -> Export:
    """Return an export that can still be fetched.

    Raises:
        NotFound: no such export.
        ExportExpired: its time is over, or it was removed.
    """
    with warehouse.read() as connection:
        row = connection.execute(select(exports).where(exports.c.export_id == export_id)).one_or_none()
    if row is None:
        raise NotFound(f"Export {export_id} was looked up and not found.")
    found = _export(row)
    is_over = found.expires_at is not None and found.expires_at <= now
    if is_over or found.removed_at is not None:
        ended = found.expires_at if is_over else found.removed_at
        raise ExportExpired(
            f"Export {export_id} ({found.file_name}) ended at {ended:%Y-%m-%d %H:%M} UTC. Make it again: "
            f"`{found.command}`."
        )
    return found


def list_exports(warehouse: Warehouse, study_id: str) -> tuple[Export, ...]:
    """Return the exports of a study, newest first, expired and removed ones included."""
    query = select(exports).where(exports.c.study_id == study_id)
    with warehouse.read() as connection:
        found = connection.execute(query.order_by(exports.c.created_at.desc(), exports.c.export_id))
        return tuple(_export(row) for row in found)


def expired_exports(warehouse: Warehouse, *, now: datetime) -> tuple[Export, ...]:
    """Return exports whose time is over and whose file was not removed yet, oldest first."""
    query = select(exports).where(exports.c.expires_at <= now, exports.c.removed_at.is_(None))
    with warehouse.read() as connection:
        found = connection.execute(query.order_by(exports.c.expires_at, exports.c.export_id))
        return tuple(_export(row) for row in found)


def mark_removed(warehouse: Warehouse, export_ids: Sequence[str], *, now: datetime) -> int:
    """Note that the files of these exports are gone; return how many were noted just now."""
    there = exports.c.export_id.in_(export_ids) & exports.c.removed_at.is_(None)
    with warehouse.write() as connection:
        return connection.execute(update(exports).where(there).values(removed_at=now)).rowcount


def _export(row: Row[Any]) -> Export:
    return Export(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy
