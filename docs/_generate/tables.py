"""Tables in markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a table; white space in a cell becomes one blank, an upright bar its entity."""
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row(row)


def code(text: object) -> str:
    """Return `text` as code, nothing for an empty one."""
    return f"`{text}`" if str(text) else ""


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(re.sub(r"\s+", " ", str(cell)).strip().replace("|", "&#124;") for cell in cells) + " |"
