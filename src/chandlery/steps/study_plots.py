"""The pictures of a finished study as files: those of its report."""

from collections.abc import Sequence
from pathlib import Path

from chandlery.errors import StudyEnded
from chandlery.reports.study.pages import pages
from chandlery.steps.study_documents import study_report
from chandlery.store.study_reads import find_study
from chandlery.store.warehouse import Warehouse


def write_plots(warehouse: Warehouse, study: str, folder: Path) -> Sequence[Path]:
    """Write growth, drawdown, parameter map and walk-forwards of a study as SVG into `folder`; return the files.

    Raises:
        NotFound: no such study.
        StudyEnded: it has no answer to draw.
    """
    row = find_study(warehouse, study)
    if row.finished_at is None:
        raise StudyEnded(f"Study {row.study_id[:12]} has no answer yet. Resume its job, then draw it.")
    drawn = pages(study_report(warehouse, row))
    pictures = {"equity": drawn["growth"], "drawdown": drawn["drawdown"]}
    if drawn["map"] is not None:
        pictures["parameters"] = drawn["map"]["picture"]
    pictures |= {f"walk-forward-{walk['scheme']}": walk["picture"] for walk in drawn["walks"] if walk["picture"]}
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{row.strategy}-{row.symbol.replace(':', '_').replace('/', '_')}"
    written = []
    for name, svg in pictures.items():
        path = folder / f"{stem}-{name}.svg"
        path.write_text(svg, encoding="utf-8")
        written.append(path)
    return written
