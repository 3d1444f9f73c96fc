"""A small SVG writer for time series: lines, areas and dots over one shared axis.

Coordinates have two decimals; a series longer than the plot is wide keeps the minimum and maximum of each pixel
column, so no spike is lost. Colours come from CSS classes of the page. All text is escaped.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from chandlery.errors import InvalidInput

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of a chart.

    Attributes:
        kind: `line`, `area` (filled to `base`) or `dots`.
        values: one per position on the shared axis; None leaves a dot out and is refused in a line or area.
        css: class name(s) of the drawn element.
        base: value an area is filled to.
    """

    kind: Literal["line", "area", "dots"]
    values: Values
    css: str
    base: float = 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Size of a chart and its margins, in SVG units."""

    width: float = 720.0
    height: float = 240.0
    left: float = 52.0
    right: float = 10.0
    top: float = 10.0
    bottom: float = 24.0

    @property
    def columns(self) -> int:
        """Whole pixel columns of the plot."""
        return max(1, int(self.width - self.left - self.right))


def chart(
    layers: Sequence[Layer],
    *,
    labels: Sequence[tuple[int, str]],
    title: str,
    shown: Callable[[float], str],
    frame: Frame | None = None,
    is_log: bool = False,
    style: str | None = None,
) -> str:
    """Return an `<svg>` element with grid, axis labels and `layers` drawn in order.

    `labels` puts texts under positions of the axis, `shown` writes a value of the vertical axis, `title` is read
    by screen readers. `is_log` draws the logarithm of positive values. With `style`, a CSS text, the
    element stands alone as a picture; without, the page around it brings the style.

    Raises:
        InvalidInput: without layers, with layers of unequal or no length, or with a value that cannot be drawn.
    """
    frame = frame or Frame()
    count = _common_length(layers)
    known = [value for layer in layers for value in layer.values if value is not None]
    known.extend(layer.base for layer in layers if layer.kind == "area")
    if not known or not all(math.isfinite(value) for value in known) or (is_log and min(known) <= 0.0):
        raise InvalidInput(f"Chart {title!r} had a value that cannot be drawn; give finite ones, positive if log.")
    ticks = log_ticks(min(known), max(known)) if is_log else nice_ticks(min(known), max(known))
    low, high = min(*known, *ticks), max(*known, *ticks)
    scale = _Scale(frame=frame, count=count, low=low, high=high, is_log=is_log)
    parts = [
        opening(frame.width, frame.height, style=style),
        f"<title>{escape(title)}</title>",
        *_horizontal_grid(scale, ticks=ticks, shown=shown),
        *_axis_labels(scale, labels),
        *(_draw(layer, scale) for layer in layers),
        "</svg>",
    ]
    return "".join(parts)


def opening(width: float, height: float, *, style: str | None = None) -> str:
    """Return the opening tag of a chart; with `style` that of a picture that stands alone."""
    box = f'class="chart" role="img" viewBox="0 0 {width:g} {height:g}"'
    if style is None:
        return f"<svg {box}>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" {box}><style>{style}</style>'


def decimate(values: Sequence[float], *, columns: int) -> list[int]:
    """Return ascending indices that keep the ends and the minimum and maximum of each of `columns` buckets.

    A series of at most 2 x columns values keeps all.
    """
    count = len(values)
    if count <= 2 * columns:
        return list(range(count))
    kept = {0, count - 1}
    for column in range(columns):
        bucket = range(column * count // columns, (column + 1) * count // columns)
        kept.add(min(bucket, key=values.__getitem__))
        kept.add(max(bucket, key=values.__getitem__))
    return sorted(kept)


def nice_ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Return round values (1, 2, 2.5 or 5 times a power of ten apart) from at or under `low` to at or over `high`.

    A bound that passes a tick by less than a billionth of a step counts as on it.
    """
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = 2 - math.floor(math.log10(step))
    return [round(place * step, digits) + 0.0 for place in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten around [low, high], the powers alone when that is over nine ticks."""
    fine = _steps_around(low, high, factors=(1, 2, 5))
    return fine if len(fine) <= 9 else _steps_around(low, high, factors=(1,))


@dataclass(frozen=True, slots=True)
class _Scale:
    frame: Frame
    count: int
    low: float
    high: float
    is_log: bool

    def x(self, place: int) -> float:
        span = self.frame.width - self.frame.left - self.frame.right
        return self.frame.left + span * (place / (self.count - 1) if self.count > 1 else 0.5)

    def y(self, value: float) -> float:
        low, high = (math.log(self.low), math.log(self.high)) if self.is_log else (self.low, self.high)
        level = math.log(value) if self.is_log else value
        share = (level - low) / (high - low) if high > low else 0.5
        return self.frame.top + (self.frame.height - self.frame.top - self.frame.bottom) * (1.0 - share)


def _steps_around(low: float, high: float, *, factors: tuple[int, ...]) -> list[float]:
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    steps = [float(f"{factor * 10.0**power:.10g}") for power in powers for factor in factors]
    first = max(step for step in steps if step <= low * (1 + 1e-9))
    last = min(step for step in steps if step >= high * (1 - 1e-9))
    return [step for step in steps if first <= step <= last]


def _common_length(layers: Sequence[Layer]) -> int:
    lengths = {len(layer.values) for layer in layers}
    if len(lengths) != 1 or 0 in lengths:
        raise InvalidInput(f"Layers had lengths {sorted(lengths)}; a chart needs layers of one length, not 0.")
    return lengths.pop()


def _horizontal_grid(scale: _Scale, *, ticks: Sequence[float], shown: Callable[[float], str]) -> list[str]:
    left, right = scale.frame.left, scale.frame.width - scale.frame.right
    parts = []
    for tick in ticks:
        y = scale.y(tick)
        css = "axis" if tick == 0.0 else "grid"
        parts.append(f'<line class="{css}" x1="{left:.2f}" x2="{right:.2f}" y1="{y:.2f}" y2="{y:.2f}"/>')
        parts.append(f'<text x="{left - 6:.2f}" y="{y + 4:.2f}" text-anchor="end">{escape(shown(tick))}</text>')
    return parts


def _axis_labels(scale: _Scale, labels: Sequence[tuple[int, str]]) -> list[str]:
    y = scale.frame.height - 6.0
    return [f'<text x="{scale.x(i):.2f}" y="{y:.2f}" text-anchor="middle">{escape(text)}</text>' for i, text in labels]


def _draw(layer: Layer, scale: _Scale) -> str:
    css = escape(layer.css)
    if layer.kind == "dots":
        dots = [
            f'<circle class="{css}" cx="{scale.x(place):.2f}" cy="{scale.y(value):.2f}" r="3"/>'
            for place, value in enumerate(layer.values)
            if value is not None
        ]
        return "".join(dots)
    values = [value for value in layer.values if value is not None]
    if len(values) != scale.count:
        raise InvalidInput(f"A {layer.kind} lacked {scale.count - len(values)} values; only dots may be left out.")
    kept = decimate(values, columns=scale.frame.columns)
    points = " ".join(f"{scale.x(place):.2f},{scale.y(values[place]):.2f}" for place in kept)
    if layer.kind == "line":
        return f'<polyline class="{css}" points="{points}"/>'
    base = scale.y(layer.base)
    return f'<polygon class="{css}" points="{scale.x(0):.2f},{base:.2f} {points} {scale.x(kept[-1]):.2f},{base:.2f}"/>'
