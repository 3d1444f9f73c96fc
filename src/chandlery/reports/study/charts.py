"""Charts of the curves: growth and drawdown, strategy beside buy and hold."""

from collections.abc import Callable

from chandlery.reports.study.schema import Series
from chandlery.reports.study.style import CSS
from chandlery.reports.study.words import signed
from chandlery.reports.svg import Frame, Layer, chart

_GROWTH = Frame(width=720.0, height=250.0, left=48.0, right=6.0)
_DEPTH = Frame(width=720.0, height=150.0, left=48.0, right=6.0)
_MOST_LABELS = 9
_LOG_FROM = 4.0
"""A curve that spans this factor is drawn on a logarithmic scale, where equal growth is equal height."""


def is_log(series: Series) -> bool:
    """Return whether growth is drawn on a logarithmic scale."""
    values = [*series["equity"], *series["benchmark"]]
    return 0.0 < min(values) * _LOG_FROM <= max(values) and min(values) > 1e-4 * max(values)


def growth(series: Series) -> str:
    """Return growth from 1 as a picture."""
    layers = [Layer("line", series["benchmark"], "held"), Layer("line", series["equity"], "main")]
    return _drawn(series, layers, "Growth of 1", lambda value: f"{value:,g}", _GROWTH, log=is_log(series))


def drawdown(series: Series) -> str:
    """Return the depth under the last peak as a picture."""
    layers = [
        Layer("line", series["benchmark_drawdown"], "held"),
        Layer("area", series["drawdown"], "under-loss"),
        Layer("line", series["drawdown"], "loss"),
    ]
    return _drawn(series, layers, "Drawdown", lambda value: signed(f"{100.0 * value:.0f} %"), _DEPTH)


def _drawn(
    series: Series,
    layers: list[Layer],
    title: str,
    shown: Callable[[float], str],
    frame: Frame,
    *,
    log: bool = False,
) -> str:
    labels = _labels(series["ts"])
    return chart(layers, labels=labels, title=title, shown=shown, frame=frame, is_log=log, style=CSS)


def _labels(stamps: list[str]) -> list[tuple[int, str]]:
    """Return at most 9 positions where a new year begins; the month or the day where fewer than three do."""
    length = next((size for size in (4, 7, 10) if len({stamp[:size] for stamp in stamps}) > 3), 16)
    starts = [i for i in range(1, len(stamps)) if stamps[i][:length] != stamps[i - 1][:length]]
    step = max(1, -(-len(starts) // _MOST_LABELS))
    # The first and last label would stick out of the picture.
    inside = [i for i in starts[::step] if 0.03 * len(stamps) < i < 0.97 * len(stamps)]
    return [(i, stamps[i][:length].replace("T", " ")) for i in inside]
