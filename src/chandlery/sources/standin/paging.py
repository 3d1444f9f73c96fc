"""Paging: rows of reference data filtered, ordered and cut the way the vendor does it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt

from chandlery.sources.standin.queries import BadQueryError, read_cursor, read_limit

_MAX_LIMIT = 1000
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """Rows of one page and the query of the next one, None at the end."""

    rows: list[Row]
    cursor: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Listed:
    """How one kind of row is filtered, ordered and paged."""

    filters: tuple[str, ...]
    """Fields that can be asked for, plainly or with `.gt`, `.gte`, `.lt`, `.lte`; compared as text, as ISO days are."""
    sort: str
    key: Callable[[Row], str]
    limit: int
    is_descending: bool


def read_asked(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query with what its cursor holds.

    Raises:
        BadQueryError: if the cursor is none.
    """
    return {**query, **read_cursor(query)}


def page_of(rows: Sequence[Row], asked: Mapping[str, str], listed: Listed) -> ReferencePage:
    """Return the page of `rows` that is asked for.

    Raises:
        BadQueryError: for a limit, an order or a cursor that is none.
    """
    order = asked.get("order", "desc" if listed.is_descending else "asc")
    if order not in ("asc", "desc"):
        raise BadQueryError(f"Could not parse the order: '{order}'")
    sort = asked.get("sort", listed.sort)
    if sort != listed.sort and sort not in listed.filters:
        raise BadQueryError(f"Could not parse the sort: '{sort}'")
    kept = [row for row in rows if _is_asked_for(row, asked, listed.filters)]
    kept.sort(key=lambda row: (str(row.get(sort, "")), str(row.get("ticker", ""))), reverse=order == "desc")
    limit = read_limit(asked, default=listed.limit, largest=_MAX_LIMIT)
    first = _first(kept, asked.get("page_marker"), listed.key)
    page = kept[first : first + limit]
    if first + limit >= len(kept):
        return ReferencePage(page, None)
    remembered = {name: value for name, value in asked.items() if name not in ("cursor", "apiKey")}
    return ReferencePage(page, {**remembered, "limit": limit, "page_marker": listed.key(page[-1])})


def _is_asked_for(row: Row, asked: Mapping[str, str], filters: Sequence[str]) -> bool:
    for name in filters:
        value = str(row.get(name, ""))
        if asked.get(name, value) != value:
            return False
        for suffix, holds in _COMPARISONS.items():
            border = asked.get(f"{name}.{suffix}")
            if border is not None and not holds(value, border):
                return False
    return True


def _first(rows: Sequence[Row], marker: str | None, key: Callable[[Row], str]) -> int:
    if marker is None:
        return 0
    places = [place for place, row in enumerate(rows) if key(row) == marker]
    if not places:
        raise BadQueryError(f"Could not parse the cursor: no row '{marker}'")
    return places[-1] + 1
