"""The document as PDF, set by typst; and its pages as PNG, to look at."""

import json
from pathlib import Path
from typing import Literal

import typst

from chandlery.reports.study.pages import pages
from chandlery.reports.study.schema import StudyReport

_TEMPLATE = Path(__file__).with_name("template.typ")


def render_pdf(report: StudyReport) -> bytes:
    """Return the report as PDF; equal documents give equal bytes on every machine with the same typst.

    Its date is that of the last bar. Fonts come with typst, those of the machine are not looked at; nothing is
    downloaded.
    """
    return _compile(report, "pdf")[0]


def render_pictures(report: StudyReport, *, ppi: float = 110.0) -> list[bytes]:
    """Return every page as PNG."""
    return _compile(report, "png", ppi=ppi)


def _compile(report: StudyReport, form: Literal["pdf", "png"], *, ppi: float | None = None) -> list[bytes]:
    content = json.dumps(pages(report), ensure_ascii=False)
    compiler = typst.Compiler(
        str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True, sys_inputs={"report": content}
    )
    made = compiler.compile(format=form, ppi=ppi)
    return made if isinstance(made, list) else [made] if made is not None else []
