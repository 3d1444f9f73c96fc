"""A chart of gaps, symbol by time, as SVG: what is missing, since when, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

_COLOURS = ("#d7301f", "#fc8d59", "#fdcc8a", "#4292c6", "#807dba", "#74c476", "#969696", "#c994c7")
_LEFT, _TOP, _ROW, _WIDTH, _LEGEND, _LEAST = 90, 22, 16, 900, 34, 1.5
_FONT = 'font-family="sans-serif" font-size="10" fill="#333"'


@dataclass(frozen=True, slots=True)
class Gap:
    """One hole `[start, end)` of a symbol's bars with its reason."""

    symbol: str
    start: datetime
    end: datetime
    reason: str
    missing: int


def gap_chart_svg(gaps: Sequence[Gap], *, start: datetime, end: datetime) -> str:
    """Return the chart of `gaps` over `[start, end)`, a row a symbol that has any, a colour a reason.

    A gap is at least 1.5 pixels wide, or minutes would not be seen among years.
    """
    inside = [gap for gap in gaps if gap.start < end and gap.end > start]
    symbols = sorted({gap.symbol for gap in inside})
    reasons = sorted({gap.reason for gap in inside})
    colours = {reason: _COLOURS[place % len(_COLOURS)] for place, reason in enumerate(reasons)}
    height = _TOP + _ROW * max(len(symbols), 1) + _LEGEND
    scale = (_WIDTH - _LEFT - 10) / max((end - start).total_seconds(), 1.0)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_LEFT}" y="14" {_FONT}>{start.date()}</text>'
        f'<text x="{_WIDTH - 10}" y="14" text-anchor="end" {_FONT}>{end.date()}</text>'
    )
    parts = [opening]
    if not inside:
        parts.append(f'<text x="{_LEFT}" y="{_TOP + 12}" {_FONT}>no gaps</text>')
    for row, symbol in enumerate(symbols):
        top = _TOP + row * _ROW
        parts.append(
            f'<text x="{_LEFT - 6}" y="{top + 11}" text-anchor="end" {_FONT}>{escape(symbol)}</text>'
            f'<rect x="{_LEFT}" y="{top + 6}" width="{_WIDTH - _LEFT - 10}" height="1" fill="#ddd"/>'
        )
        parts += [_bar(gap, top, start, end, scale, colours[gap.reason]) for gap in inside if gap.symbol == symbol]
    parts += [
        f'<rect x="{_LEFT + place * 130}" y="{height - _LEGEND + 14}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{_LEFT + place * 130 + 14}" y="{height - _LEGEND + 23}" {_FONT}>{escape(reason)}</text>'
        for place, (reason, colour) in enumerate(colours.items())
    ]
    return "".join(parts) + "</svg>"


def _bar(  # noqa: PLR0917 - where, how wide, which colour
    gap: Gap, top: float, start: datetime, end: datetime, scale: float, colour: str
) -> str:
    first, last = max(gap.start, start), min(gap.end, end)
    left = _LEFT + (first - start).total_seconds() * scale
    width = max((last - first).total_seconds() * scale, _LEAST)
    return (
        f'<rect x="{left:.2f}" y="{top + 1}" width="{width:.2f}" height="{_ROW - 4}" fill="{colour}">'
        f"<title>{escape(gap.symbol)} {gap.start:%Y-%m-%d %H:%M} to {gap.end:%Y-%m-%d %H:%M}: {gap.missing} missing, "
        f"{escape(gap.reason)}</title></rect>"
    )
