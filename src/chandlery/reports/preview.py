"""Small previews for asset metadata: a Markdown table, a sparkline, a data URI."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence

from chandlery.reports.svg import decimate

_STROKE = "#4f7cac"


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return `rows` as a Markdown table; columns are the keys in order of first appearance.

    None reads as a dash, floats have six significant digits, whatever could end a cell or open HTML is escaped.
    Without rows the answer says so.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return "_no rows_"
    numeric = [_is_numeric([row.get(column) for row in rows]) for column in columns]
    lines = [
        _line(_cell(column) for column in columns),
        _line("---:" if right else "---" for right in numeric),
        *(_line(_cell(row.get(column)) for column in columns) for row in rows),
    ]
    return "\n".join(lines)


def sparkline_svg(values: Sequence[float], *, width: int = 160, height: int = 32) -> str:
    """Return a standalone `<svg>` line of `values`; those that are not finite are left out.

    Fewer than two finite values give an empty picture of the same size.
    """
    finite = [float(value) for value in values if math.isfinite(value)]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    if len(finite) < 2:
        return f"{opening}</svg>"
    low, span = min(finite), max(finite) - min(finite)
    points = " ".join(
        f"{1 + (width - 2) * place / (len(finite) - 1):.2f},"
        f"{1 + (height - 2) * (1 - ((finite[place] - low) / span if span > 0.0 else 0.5)):.2f}"
        for place in decimate(finite, columns=width)
    )
    return f'{opening}<polyline fill="none" stroke="{_STROKE}" stroke-width="1.5" points="{points}"/></svg>'


def svg_data_uri(svg: str) -> str:
    """Return `svg` as a `data:` URI that Markdown and HTML images take."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _is_numeric(values: Sequence[object]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    for sign, replacement in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\\", "\\\\"), ("|", "\\|"), ("`", "\\`")):
        text = text.replace(sign, replacement)
    return " ".join(text.split())
