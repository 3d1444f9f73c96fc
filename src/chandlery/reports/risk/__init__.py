"""The daily risk report of one portfolio: JSON first, HTML from the JSON.

What belongs here: the shape of the document, its builder and its page. What does not: formulas (`risk/`,
`measures/`). Same inputs, same bytes: no wall clock, no randomness, floats at 10 significant digits.
"""

from chandlery.reports.canonical import to_json_bytes
from chandlery.reports.risk.build import build_risk_report
from chandlery.reports.risk.inputs import DEFAULT_PARAMETERS, RiskInputs, RiskParameters
from chandlery.reports.risk.page import render_html
from chandlery.reports.risk.schema import RiskReport

__all__ = [
    "DEFAULT_PARAMETERS",
    "RiskInputs",
    "RiskParameters",
    "RiskReport",
    "build_risk_report",
    "render_html",
    "to_json_bytes",
]
