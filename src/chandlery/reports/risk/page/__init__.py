"""The risk report as one HTML file, drawn from its JSON and nothing else.

What belongs here: layout, wording, number formats. What does not: any computation of risk. One file without
script or outside reference, readable in light, dark and on paper.
"""

from chandlery.reports.risk.page.document import render_html

__all__ = ["render_html"]
