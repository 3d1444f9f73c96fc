"""HTML fragments: every text passes `text`, so nothing of a report can become markup."""

from collections.abc import Sequence
from html import escape

_TONES = {
    "ok": "good",
    "pass": "good",
    "green": "good",
    "A": "good",
    "soft": "warn",
    "watch": "warn",
    "yellow": "warn",
    "B": "warn",
    "C": "warn",
    "unknown": "warn",
    "hard": "bad",
    "fail": "bad",
    "red": "bad",
    "D": "bad",
}


def text(value: object) -> str:
    """Return `value` as text that is safe in HTML bodies and attributes."""
    return escape(str(value), quote=True)


def badge(word: str) -> str:
    """Return a coloured word; its colour only repeats what the word says."""
    return f'<span class="badge {_TONES.get(word, "plain")}">{text(word)}</span>'


def section(title: str, *parts: str, note: str = "") -> str:
    """Return a titled section of HTML `parts`, with an optional plain-text note under the title."""
    remark = f'<p class="note">{text(note)}</p>' if note else ""
    return f"<section><h2>{text(title)}</h2>{remark}{''.join(parts)}</section>"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Return a table; `headings` are plain text, cells are HTML, the first `words` columns are left aligned."""
    head = "".join(f"<th{_side(place, words)}>{text(heading)}</th>" for place, heading in enumerate(headings))
    body = "".join(
        f"<tr>{''.join(f'<td{_side(place, words)}>{cell}</td>' for place, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Return a definition list of HTML terms and descriptions."""
    return f"<dl>{''.join(f'<div><dt>{term}</dt><dd>{description}</dd></div>' for term, description in rows)}</dl>"


def _side(place: int, words: int) -> str:
    return ' class="word"' if place < words else ""
