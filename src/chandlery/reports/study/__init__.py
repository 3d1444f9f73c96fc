"""The report of one study: JSON first, PDF from the JSON.

What belongs here: the shape of the document, its builder, its charts and its pages. What does not: formulas
(`measures/`, `optimize/`), where studies are stored and where files go (`steps/`). Same inputs, same bytes: no wall
clock, no randomness, no font of the machine, floats at 10 significant digits.
"""

from chandlery.reports.canonical import to_json_bytes
from chandlery.reports.study.build import build_study_report
from chandlery.reports.study.inputs import StudyFacts, StudyInputs
from chandlery.reports.study.pdf import render_pdf, render_pictures
from chandlery.reports.study.schema import StudyReport

__all__ = [
    "StudyFacts",
    "StudyInputs",
    "StudyReport",
    "build_study_report",
    "render_pdf",
    "render_pictures",
    "to_json_bytes",
]
