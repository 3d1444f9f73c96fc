"""The heat map of two parameters: where good candidates have good neighbours, and where they stand alone."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from chandlery.reports.study.style import CSS
from chandlery.reports.study.words import signed
from chandlery.reports.svg import opening

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 340.0, 62.0, 96.0, 8.0, 44.0
_COLD = ("#fbeee9", "#eeb8a5", "#d2694d", "#9c2f1f")
_WARM = ("#eef4fa", "#b7d2ea", "#6ba2d3", "#2f6fb2", "#123f73")
_NOTHING = "#f4f4f4"
_MOST_LABELS = 12
_LEGEND_STEPS = 40


def parameter_map(heat: Mapping[str, Any], marks: Mapping[str, Mapping[str, float]], *, objective: str) -> str:
    """Return the map as a picture: blue above zero, red below, pale near it; grey where nothing was ranked.

    `heat` as `optimize.evidence.HeatMap`; `marks`: parameters of the choices, `in_sample` marked by a circle and
    `plateau` by a square.
    """
    columns, rows = heat["x_values"], heat["y_values"]
    known = [value for row in heat["values"] for value in row if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    width = (_WIDTH - _LEFT - _RIGHT) / len(columns)
    height = (_HEIGHT - _TOP - _BOTTOM) / len(rows)
    gap = 0.6 if min(width, height) > 4.0 else 0.0
    title = " ".join(filter(None, (heat["x"], heat["y"])))
    parts = [opening(_WIDTH, _HEIGHT, style=CSS), f"<title>{escape(title)}</title>"]
    for row, values in enumerate(heat["values"]):
        top = _HEIGHT - _BOTTOM - (row + 1) * height
        parts += [
            f'<rect x="{_LEFT + place * width:.2f}" y="{top:.2f}" width="{width - gap:.2f}" '
            f'height="{height - gap:.2f}" fill="{_colour(value, low, high)}"/>'
            for place, value in enumerate(values)
        ]
    parts += _axes(heat, width, height)
    parts += _marks(heat, marks, width, height)
    if known:
        parts += _legend(low, high, objective)
    return "".join(parts) + "</svg>"


def _colour(value: float | None, low: float, high: float) -> str:
    if value is None:
        return _NOTHING
    if low >= 0.0 or high <= 0.0:
        # All on one side of zero: the whole scale shows the differences.
        share = (value - low) / (high - low) if high > low else 0.5
        return _mix(_WARM if low >= 0.0 else _COLD[::-1], share)
    bound = max(high, -low)
    return _mix(_WARM, value / bound) if value >= 0.0 else _mix(_COLD, -value / bound)


def _mix(scale: Sequence[str], share: float) -> str:
    place = min(max(share, 0.0), 1.0) * (len(scale) - 1)
    at = min(int(place), len(scale) - 2)
    pairs = zip(_channels(scale[at]), _channels(scale[at + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - at)):02x}" for a, b in pairs)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _axes(heat: Mapping[str, Any], width: float, height: float) -> list[str]:
    floor = _HEIGHT - _BOTTOM
    parts = [
        f'<text x="{_LEFT + (place + 0.5) * width:.2f}" y="{floor + 15:.2f}" text-anchor="middle">{value:g}</text>'
        for place, value in _thinned(heat["x_values"])
    ]
    # Of one parameter the map is a single row, which has no name.
    parts += [
        f'<text x="{_LEFT - 6:.2f}" y="{floor - (place + 0.5) * height + 4:.2f}" text-anchor="end">{value:g}</text>'
        for place, value in (_thinned(heat["y_values"]) if heat["y"] else [])
    ]
    middle_x, middle_y = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + floor) / 2
    parts.append(
        f'<text class="strong" x="{middle_x:.2f}" y="{_HEIGHT - 8:.2f}" text-anchor="middle">'
        f"{escape(_cut(heat['x']))}</text>"
    )
    parts.append(
        f'<text class="strong" transform="translate(16 {middle_y:.2f}) rotate(-90)" text-anchor="middle">'
        f"{escape(_cut(heat['y']))}</text>"
    )
    return parts


def _thinned(values: Sequence[float]) -> list[tuple[int, float]]:
    step = max(1, -(-len(values) // _MOST_LABELS))
    return list(enumerate(values))[::step]


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"


def _marks(heat: Mapping[str, Any], marks: Mapping[str, Mapping[str, float]], width: float, height: float) -> list[str]:
    parts = []
    for kind, params in marks.items():
        if heat["x"] not in params:
            continue
        x = _LEFT + (_nearest(heat["x_values"], params[heat["x"]]) + 0.5) * width
        y = _HEIGHT - _BOTTOM - (_nearest(heat["y_values"], params.get(heat["y"], 0.0)) + 0.5) * height
        shape = (
            f'<circle class="mark" cx="{x:.2f}" cy="{y:.2f}" r="6"/>'
            if kind == "in_sample"
            else f'<rect class="mark" x="{x - 8.5:.2f}" y="{y - 8.5:.2f}" width="17" height="17"/>'
        )
        # White below, so that a mark is seen on dark cells too.
        parts += [shape.replace('class="mark"', 'fill="none" stroke="#fff" stroke-width="4"'), shape]
    return parts


def _nearest(values: Sequence[float], wanted: float) -> int:
    """Return the cell of a value; a wide map has several values in a cell."""
    return min(range(len(values)), key=lambda place: abs(values[place] - wanted))


def _legend(low: float, high: float, objective: str) -> list[str]:
    left, top, floor = _WIDTH - _RIGHT + 18, _TOP + 18.0, _HEIGHT - _BOTTOM
    step = (floor - top) / _LEGEND_STEPS
    parts = [f'<text x="{left:.2f}" y="{_TOP + 8:.2f}">{escape(_cut(objective)[:16])}</text>']
    parts += [
        f'<rect x="{left:.2f}" y="{floor - (place + 1) * step:.2f}" width="14" height="{step + 0.3:.2f}" '
        f'fill="{_colour(low + (high - low) * (place + 0.5) / _LEGEND_STEPS, low, high)}"/>'
        for place in range(_LEGEND_STEPS)
    ]
    shown = {low: floor, (low + high) / 2: (floor + top) / 2, high: top}
    parts += [
        f'<text x="{left + 19:.2f}" y="{y + 4:.2f}">{signed(f"{value:.3g}")}</text>' for value, y in shown.items()
    ]
    return parts
