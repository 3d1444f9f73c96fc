"""A heat map of scores, symbol by session, as SVG: where to look first."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

LEVELS = (
    (0.2, "#7f0000", "below 0.2"),
    (0.5, "#d7301f", "0.2 to 0.5"),
    (0.8, "#fc8d59", "0.5 to 0.8"),
    (0.95, "#fdcc8a", "0.8 to 0.95"),
    (0.99, "#c6dbef", "0.95 to 0.99"),
    (float("inf"), "#4292c6", "0.99 and above"),
)
"""Upper bound (exclusive), colour, label. The edges 0.2 and 0.5 are the caps of the score; red against blue is told
apart by most colour-blind readers."""
NOT_EXPECTED = "#e0e0e0"
_LEFT, _TOP, _LEGEND, _CELL_HEIGHT, _MOST_COLUMNS, _WIDTH = 90, 22, 40, 14, 180, 900
_FONT = 'font-family="sans-serif" font-size="10" fill="#333"'


def heat_map_svg(scores: Mapping[tuple[str, date], float | None]) -> str:
    """Return the map of `scores` by (symbol, session); None: nothing was expected; an absent cell stays white.

    Rows ascend by symbol, columns by session. More than 180 sessions share columns; a column shows the worst of its
    sessions, since that is what the reader looks for.
    """
    symbols = sorted({symbol for symbol, _ in scores})
    sessions = sorted({session for _, session in scores})
    bins = _bins(sessions)
    height = _TOP + _CELL_HEIGHT * max(len(symbols), 1) + _LEGEND
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}"><rect width="100%" height="100%" fill="#fff"/>'
    )
    parts = [opening]
    width = (_WIDTH - _LEFT - 10) / max(len(bins), 1)
    worst = _worst(scores, bins)
    for row, symbol in enumerate(symbols):
        top = _TOP + row * _CELL_HEIGHT
        parts.append(f'<text x="{_LEFT - 6}" y="{top + 11}" text-anchor="end" {_FONT}>{escape(symbol)}</text>')
        parts += [
            f'<rect x="{_LEFT + place * width:.2f}" y="{top}" width="{max(width - 0.5, 0.5):.2f}" '
            f'height="{_CELL_HEIGHT - 1}" fill="{_colour(worst[symbol, place])}">'
            f"<title>{escape(symbol)} {_label(days)}: {_text(worst[symbol, place])}</title></rect>"
            for place, days in enumerate(bins)
            if (symbol, place) in worst
        ]
    parts += _axis(bins, width)
    parts += _legend(height - _LEGEND + 14)
    return "".join(parts) + "</svg>"


def _bins(sessions: Sequence[date]) -> list[list[date]]:
    size = -(-len(sessions) // _MOST_COLUMNS) or 1
    return [list(sessions[first : first + size]) for first in range(0, len(sessions), size)]


def _worst(
    scores: Mapping[tuple[str, date], float | None], bins: Sequence[Sequence[date]]
) -> dict[tuple[str, int], float | None]:
    place_of = {session: place for place, days in enumerate(bins) for session in days}
    worst: dict[tuple[str, int], float | None] = {}
    for (symbol, session), score in scores.items():
        key = symbol, place_of[session]
        known = worst.get(key)
        worst[key] = known if score is None else score if known is None else min(known, score)
    return worst


def _colour(score: float | None) -> str:
    if score is None:
        return NOT_EXPECTED
    return next(colour for bound, colour, _ in LEVELS if score < bound)


def _text(score: float | None) -> str:
    return "nothing expected" if score is None else f"{score:.3f}"


def _label(days: Sequence[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _axis(bins: Sequence[Sequence[date]], width: float) -> list[str]:
    if not bins:
        return [f'<text x="{_LEFT}" y="{_TOP + 11}" {_FONT}>no sessions</text>']
    ends = {0: "start", len(bins) - 1: "end"} if len(bins) > 1 else {0: "start"}
    return [
        f'<text x="{_LEFT + (place + (anchor == "end")) * width:.2f}" y="14" text-anchor="{anchor}" {_FONT}>'
        f"{bins[place][0] if anchor == 'start' else bins[place][-1]}</text>"
        for place, anchor in ends.items()
    ]


def _legend(top: float) -> list[str]:
    entries = [*((colour, label) for _, colour, label in LEVELS), (NOT_EXPECTED, "nothing expected")]
    return [
        f'<rect x="{_LEFT + place * 112}" y="{top}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{_LEFT + place * 112 + 14}" y="{top + 9}" {_FONT}>{label}</text>'
        for place, (colour, label) in enumerate(entries)
    ]
