"""Files of studies in the export store, as the commands of `chandlery export` ask for them."""

from dataclasses import asdict
from pathlib import Path

from chandlery.settings import load_settings
from chandlery.steps.study_documents import Selected
from chandlery.steps.study_exports import clean_exports, list_study_exports, make_export
from chandlery.store.warehouse import open_warehouse


def stored_file(study: str, kind: str, *, choice: str) -> Path:
    """Make an export of a study and return where its file lies.

    Raises:
        NotFound: no such study.
        ResearchError: the study cannot be exported like this; the message says why.
    """
    settings = load_settings()
    return make_export(open_warehouse(settings), settings, study, kind, choice=Selected(choice)).path


def stored_rows(study: str | None) -> list[dict[str, object]]:
    """Return the exports of a study, or of the latest ones, newest first.

    Raises:
        NotFound: no such study.
    """
    return [asdict(export) for export in list_study_exports(open_warehouse(load_settings()), study)]


def clean_store() -> str:
    """Remove what is over and return what was done as a sentence."""
    settings = load_settings()
    done = clean_exports(open_warehouse(settings), settings)
    return f"{done.expired} expired exports and {done.orphans} orphans removed, {done.freed_bytes:,} bytes freed"
