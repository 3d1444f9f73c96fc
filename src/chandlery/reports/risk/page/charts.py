"""The charts of the page."""

from collections.abc import Sequence

from chandlery.reports.risk.page.markup import section, text
from chandlery.reports.risk.page.numbers import percent
from chandlery.reports.risk.schema import RiskReport
from chandlery.reports.svg import Frame, Layer, chart

_MOST_LABELS = 8
_HALF = Frame(width=520.0, height=230.0)
_WIDE = Frame(width=960.0, height=250.0)


def equity(report: RiskReport) -> str:
    """Return the growth of 1, logarithmic when it spans more than a factor of five."""
    values = report["series"]["equity"]
    if not values:
        return _absent("Hypothetical equity")
    spans = 1e-9 * max(values) < min(values) < 0.2 * max(values)
    drawn = chart(
        [Layer("line", values, "main")],
        labels=date_labels(report["series"]["sessions"]),
        title="Growth of 1 in the present book",
        shown=lambda value: f"{value:g}",
        frame=_HALF,
        is_log=spans,
    )
    return section(
        "Hypothetical equity", drawn, note=f"Growth of 1 in the present book{', log scale' if spans else ''}."
    )


def drawdown(report: RiskReport) -> str:
    """Return the depth under the last peak."""
    values = report["series"]["drawdown"]
    if not values:
        return _absent("Drawdown")
    drawn = chart(
        [Layer("area", values, "under-loss"), Layer("line", values, "loss")],
        labels=date_labels(report["series"]["sessions"]),
        title="Drawdown of the present book",
        shown=lambda value: percent(value, digits=0),
        frame=_HALF,
    )
    return section("Drawdown", drawn, note="Depth under the last peak of the same history.")


def backtest(report: RiskReport) -> str:
    """Return P&L against the VaR forecast, exceptions dotted; empty without a backtest."""
    series = report["series"]["backtest"]
    if series is None:
        return ""
    floor = [-value for value in series["var"]]
    exceptions = [value if value < bound else None for value, bound in zip(series["returns"], floor, strict=True)]
    drawn = chart(
        [
            Layer("line", series["returns"], "quiet"),
            Layer("line", floor, "loss"),
            Layer("dots", exceptions, "exception"),
        ],
        labels=date_labels(series["sessions"]),
        title=f"Returns against the {percent(series['level'], digits=0)} VaR forecast of model {series['model']}",
        shown=lambda value: percent(value, digits=1),
        frame=_WIDE,
    )
    caption = (
        f"Daily returns (grey) over the forecast bound of {series['model']} at {percent(series['level'], digits=0)}"
    )
    return f'<div class="scroll">{drawn}</div><p class="caption">{text(caption)} (red); a dot is an exception.</p>'


def date_labels(sessions: Sequence[str]) -> list[tuple[int, str]]:
    """Return at most 8 positions with the year, or the month when fewer than three years are shown."""
    length = 4 if len({day[:4] for day in sessions}) > 3 else 7
    starts = [i for i in range(1, len(sessions)) if sessions[i][:length] != sessions[i - 1][:length]]
    step = max(1, -(-len(starts) // _MOST_LABELS))
    return [(i, sessions[i][:length]) for i in starts[::step]]


def _absent(title: str) -> str:
    return section(title, '<p class="lack">no return history; see "Not computed, and why"</p>')
