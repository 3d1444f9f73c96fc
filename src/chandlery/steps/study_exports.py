"""The export store: files made of studies, each below an unguessable id, kept for a while, then removed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from chandlery import clock
from chandlery.errors import ExportExpired, NotExportable, NotFound
from chandlery.log import get_logger
from chandlery.settings import Settings
from chandlery.steps.export_files import is_whole, new_id, old_folders, put_file, remove_folder
from chandlery.steps.study_documents import Kind, Selected, make_document
from chandlery.store import exports as rows
from chandlery.store.exports import Export
from chandlery.store.study_reads import find_study, list_studies
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredExport:
    """An export and where its file lies."""

    export: Export
    path: Path

    @property
    def summary(self) -> dict[str, object]:
        """One row for a table of exports."""
        export = self.export
        return {
            "kind": export.kind,
            "file": export.file_name,
            "size": export.size,
            "sha256": export.sha256,
            "expires_at": export.expires_at,
            "path": str(self.path),
        }


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up removed: exports whose time was over, folders that no row knows, and their bytes."""

    expired: int
    orphans: int
    freed_bytes: int


def make_export(
    warehouse: Warehouse,
    settings: Settings,
    study_id: str,
    kind: Kind | str,
    *,
    choice: Selected = Selected.IN_SAMPLE,
    now: datetime | None = None,
) -> StoredExport:
    """Make a file of a finished study (id or the beginning of it) and store it with its row.

    The same content again, while an export of it can be fetched, is that export. The file is in place before its
    row, so a row never points at nothing.

    Raises:
        NotFound: no such study.
        ResearchError: the study is not finished, has no such choice, or its strategy has changed since.
        NotExportable: Pine cannot express the strategy.
        ConfigError: the export folder cannot be written.
    """
    now = now or clock.now()
    study = find_study(warehouse, study_id)
    document = make_document(warehouse, study, Kind(kind), choice=choice)
    checksum = hashlib.sha256(document.content).hexdigest()
    root = settings.exports_dir
    for known in rows.list_exports(warehouse, study.study_id):
        is_same = (known.kind, known.sha256, known.file_name) == (kind, checksum, document.file_name)
        if is_same and _lives(known, now) and _is_whole(root, known):
            return StoredExport(known, root / known.path)
    export_id = new_id()
    export = Export(
        export_id=export_id,
        study_id=study.study_id,
        kind=Kind(kind).value,
        file_name=document.file_name,
        mime_type=document.mime_type,
        size=len(document.content),
        sha256=checksum,
        path=put_file(root, export_id, document.file_name, document.content),
        created_at=now,
        expires_at=now + timedelta(hours=settings.optimize.exports_kept_hours),
    )
    rows.add_export(warehouse, export)
    log.info("export_made", study=study.study_id, kind=export.kind, bytes=export.size)
    return StoredExport(export, root / export.path)


def find_export(
    warehouse: Warehouse, settings: Settings, export_id: str, *, now: datetime | None = None
) -> StoredExport:
    """Return an export whose file can be fetched; its checksum was compared just now.

    Raises:
        NotFound: no such export.
        ExportExpired: its time is over, it was removed, or its file is gone or altered.
    """
    export = rows.find_export(warehouse, export_id, now=now or clock.now())
    if not _is_whole(settings.exports_dir, export):
        raise ExportExpired(
            f"The file of export {export_id} is gone or was altered. Make it again: `{export.command}`."
        )
    return StoredExport(export, settings.exports_dir / export.path)


def list_study_exports(warehouse: Warehouse, study_id: str | None = None, *, studies: int = 50) -> tuple[Export, ...]:
    """Return the exports of a study, or of the latest `studies` finished ones, newest first.

    Raises:
        NotFound: no such study.
    """
    if study_id is not None:
        return rows.list_exports(warehouse, find_study(warehouse, study_id).study_id)
    recent = list_studies(warehouse, state="finished", limit=studies)
    found = [export for study in recent for export in rows.list_exports(warehouse, study.study_id)]
    return tuple(sorted(found, key=lambda export: (export.created_at, export.export_id), reverse=True))


def clean_exports(warehouse: Warehouse, settings: Settings, *, now: datetime | None = None) -> Cleaned:
    """Remove files whose time is over and note it in their rows; remove day-old folders that no row knows.

    Interrupted anywhere, the next run finishes it: a file goes before its row is marked.
    """
    now, root = now or clock.now(), settings.exports_dir
    over = rows.expired_exports(warehouse, now=now)
    freed = sum(remove_folder(root, export.export_id) for export in over)
    marked = rows.mark_removed(warehouse, [export.export_id for export in over], now=now) if over else 0
    orphans = [export_id for export_id in old_folders(root, now=now) if not _has_row(warehouse, export_id, now)]
    freed += sum(remove_folder(root, export_id) for export_id in orphans)
    log.info("exports_cleaned", expired=marked, orphans=len(orphans), freed_bytes=freed)
    return Cleaned(marked, len(orphans), freed)


def export_universe(
    warehouse: Warehouse, settings: Settings, *, strategy: str, universe: str
) -> tuple[StoredExport, ...]:
    """Make PDF and Pine of the latest finished study of a strategy on a universe; the PDF alone if Pine cannot say it.

    `universe` is a symbol for daily bars, else symbol and timeframe (`AAPL@1h`).

    Raises:
        NotFound: there is no finished study of them.
    """
    symbol, _, timeframe = universe.partition("@")
    finished = list_studies(warehouse, strategy=strategy, symbol=symbol, state="finished")
    found = [study for study in finished if study.timeframe == (timeframe or "1d")]
    if not found:
        raise NotFound(
            f"{strategy} has no finished study on {universe}. Run one: `chandlery study run {strategy} {universe}`."
        )
    made = [make_export(warehouse, settings, found[0].study_id, Kind.PDF)]
    try:
        made.append(make_export(warehouse, settings, found[0].study_id, Kind.PINE))
    except NotExportable as error:
        log.info("pine_left_out", study=found[0].study_id, reason=str(error))
    return tuple(made)


def _lives(export: Export, now: datetime) -> bool:
    return export.removed_at is None and (export.expires_at is None or now < export.expires_at)


def _is_whole(root: Path, export: Export) -> bool:
    return is_whole(root / export.path, size=export.size, sha256=export.sha256)


def _has_row(warehouse: Warehouse, export_id: str, now: datetime) -> bool:
    try:
        rows.find_export(warehouse, export_id, now=now)
    except NotFound:
        return False
    except ExportExpired:
        # Its file was removed or is about to be.
        return True
    return True
