"""Small charts of bars: folds of a walk-forward, paths of a cross-validation, returns of trades."""

from collections.abc import Sequence
from html import escape

from chandlery.reports.study.style import CSS
from chandlery.reports.study.words import signed
from chandlery.reports.svg import nice_ticks, opening

_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 6.0, 8.0, 22.0


def paired_bars(pairs: Sequence[tuple[float | None, float | None]], labels: Sequence[str], *, title: str) -> str:
    """Return pairs of bars from zero, the first of each pale, the second red where below zero; None leaves one out."""
    width, height = 720.0, 132.0
    known = [value for pair in pairs for value in pair if value is not None]
    ticks = nice_ticks(min(0.0, *known), max(0.0, *known), about=4) if known else [0.0, 1.0]
    slot = (width - _LEFT - _RIGHT) / max(len(pairs), 1)
    bar = min(slot * 0.34, 26.0)
    parts = [opening(width, height, style=CSS), f"<title>{escape(title)}</title>", *_grid(ticks, width, height)]
    for place, (pair, label) in enumerate(zip(pairs, labels, strict=True)):
        middle = _LEFT + slot * (place + 0.5)
        for side, value in zip((-1, 0), pair, strict=True):
            css = "bar-held" if side else "bar-loss" if (value or 0.0) < 0.0 else "bar"
            parts.append(_bar(middle + side * bar, bar, value, ticks=ticks, height=height, css=css))
        parts.append(f'<text x="{middle:.2f}" y="{height - 6:.2f}" text-anchor="middle">{escape(label)}</text>')
    return "".join(parts) + "</svg>"


def histogram(values: Sequence[float], *, title: str, form: str = "{:g}", bins: int = 15, width: float = 350.0) -> str:
    """Return how many values fall into each of about `bins` spans of round width from zero; below zero is red."""
    height = 170.0
    edges = nice_ticks(min(0.0, *values), max(0.0, *values), about=bins)
    step = edges[1] - edges[0]
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(int((value - edges[0]) / step + 1e-9), len(counts) - 1)] += 1
    ticks = nice_ticks(0.0, float(max(counts)), about=4) if max(counts) > 4 else [float(i) for i in range(6)]
    slot = (width - _LEFT - _RIGHT) / len(counts)
    parts = [opening(width, height, style=CSS), f"<title>{escape(title)}</title>", *_grid(ticks, width, height)]
    for place, count in enumerate(counts):
        css = "bar-loss" if edges[place] + step / 2 < 0.0 else "bar"
        parts.append(_bar(_LEFT + slot * place + 0.75, slot - 1.5, float(count), ticks=ticks, height=height, css=css))
    every = next(step for step in (1, 2, 5, 10, 20, 50) if len(edges) <= 7 * step)
    anchored = [place for place, edge in enumerate(edges) if round(edge / step) % every == 0]
    parts += [
        f'<text x="{_LEFT + slot * place:.2f}" y="{height - 6:.2f}" '
        f'text-anchor="{"end" if place == len(edges) - 1 else "middle"}">'
        f"{escape(signed(form.format(edges[place])))}</text>"
        for place in anchored
    ]
    return "".join(parts) + "</svg>"


def _y(value: float, ticks: Sequence[float], height: float) -> float:
    return _TOP + (height - _TOP - _BOTTOM) * (1.0 - (value - ticks[0]) / (ticks[-1] - ticks[0]))


def _bar(left: float, width: float, value: float | None, *, ticks: Sequence[float], height: float, css: str) -> str:
    if value is None:
        return ""
    zero, top = _y(0.0, ticks, height), _y(value, ticks, height)
    return (
        f'<rect class="{css}" x="{left:.2f}" y="{min(zero, top):.2f}" width="{width:.2f}" '
        f'height="{abs(zero - top):.2f}"/>'
    )


def _grid(ticks: Sequence[float], width: float, height: float) -> list[str]:
    parts = []
    for tick in ticks:
        y, css = _y(tick, ticks, height), "axis" if tick == 0.0 else "grid"
        parts.append(f'<line class="{css}" x1="{_LEFT:.2f}" x2="{width - _RIGHT:.2f}" y1="{y:.2f}" y2="{y:.2f}"/>')
        parts.append(f'<text x="{_LEFT - 6:.2f}" y="{y + 4:.2f}" text-anchor="end">{signed(f"{tick:g}")}</text>')
    return parts
