"""Bodies: right answers with something wrong inside, each as it was seen at the vendor or is feared."""

import math
from typing import Literal
from urllib.parse import urlsplit

from chandlery.sources.standin.faults.fault import Asked, Body, Fault, UnfitFaultError

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_FOREIGN = "https://collector.example"


def results_null() -> Fault:
    """`results: null` with a zero count, for a window that does have data (polygon-io/issues#2)."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        adjusted = body.get("adjusted", True)
        return {"status": "OK", "queryCount": 0, "resultsCount": 0, "adjusted": adjusted, "results": None}

    return Fault(rewrite=rewrite)


def empty(shape: Literal["absent", "null", "list"] = "absent") -> Fault:
    """No bars, in one of the vendor's three shapes: `absent`, `null` or `list`."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        kept = {key: value for key, value in body.items() if key not in ("results", "next_url")}
        found: Body = {} if shape == "absent" else {"results": None if shape == "null" else []}
        return {**kept, "queryCount": 0, "resultsCount": 0, "count": 0, **found}

    return Fault(rewrite=rewrite)


def duplicate_page() -> Fault:
    """The rows of the page before once more, under this page's own `next_url`."""

    def rewrite(body: Body, asked: Asked) -> Body:
        if asked.earlier is None:
            raise UnfitFaultError("no page came before this one")
        return {**body, "results": asked.earlier["results"]}

    return Fault(rewrite=rewrite)


def page_out_of_order() -> Fault:
    """The rows of the page newest first, although ascending was asked for."""
    return Fault(rewrite=lambda body, _asked: {**body, "results": _rows(body)[::-1]})


def duplicate_row(*, differs: bool = False) -> Fault:
    """The middle row twice, equal or with another close (polygon-io/issues#92)."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        rows = _rows(body)
        middle = len(rows) // 2
        again = {**rows[middle], "c": rows[middle]["c"] + 0.01} if differs else dict(rows[middle])
        return {**body, "results": [*rows[: middle + 1], again, *rows[middle + 1 :]]}

    return Fault(rewrite=rewrite)


def bar_outside_the_range() -> Fault:
    """One more row before all others: the day before the range, or, on a later page, ten years before it.

    A later page does not know where the range began: its own `from` is where the page before it ended.
    """

    def rewrite(body: Body, asked: Asked) -> Body:
        rows = _rows(body)
        days = 1 if "cursor" not in asked.query else 3650
        # One hour more than whole days, so that it is no bar of the range whatever the hour of its first one.
        return {**body, "results": [{**rows[0], "t": rows[0]["t"] - days * _DAY_MS - _HOUR_MS}, *rows]}

    return Fault(rewrite=rewrite)


def other_ticker_echoed(ticker: str = "ZZZZ") -> Fault:
    """An answer that says it is about another ticker."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        if "ticker" in body:
            return {**body, "ticker": ticker}
        rows = _rows(body)
        key = "T" if "T" in rows[0] else "ticker"
        return {**body, "results": [{**rows[0], key: ticker}, *rows[1:]]}

    return Fault(rewrite=rewrite)


def garbage_row() -> Fault:
    """A row whose time and close are words."""
    return Fault(
        rewrite=lambda body, _asked: {**body, "results": [*_rows(body), {**_rows(body)[-1], "t": "never", "c": "n/a"}]}
    )


def garbage_ticker(ticker: str = "ZZ ?!", price: float = 1e11) -> Fault:
    """A row of grouped daily with a ticker that cannot be one and a price of 1e11 (polygon-io/issues#138)."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        rows = _rows(body)
        garbage = {**rows[0], "T": ticker, "o": price, "h": price, "l": price, "c": price}
        return {**body, "results": [garbage, *rows]}

    return Fault(rewrite=rewrite)


def strange_number(value: float = math.nan, *, key: str = "c") -> Fault:
    """NaN, an infinity or 1e308 in one field of the middle row."""
    return _on_the_middle_row({key: value})


def field_added(key: str = "zz") -> Fault:
    """A field the documentation does not know, in every row and beside them."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        return {**body, key: {"since": "today"}, "results": [{**row, key: 1} for row in _rows(body)]}

    return Fault(rewrite=rewrite)


def field_missing(key: str = "c") -> Fault:
    """A required field is gone from every row."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        return {**body, "results": [{name: row[name] for name in row if name != key} for row in _rows(body)]}

    return Fault(rewrite=rewrite)


def field_retyped(key: str = "c") -> Fault:
    """A number is a text in every row."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        return {**body, "results": [{**row, key: str(row.get(key))} for row in _rows(body)]}

    return Fault(rewrite=rewrite)


def adjusted_unasked() -> Fault:
    """The answer says that its prices are adjusted."""
    return Fault(rewrite=lambda body, _asked: {**body, "adjusted": True})


def next_url_on_a_foreign_host(origin: str = _FOREIGN) -> Fault:
    """The next page is said to be somewhere else."""

    def rewrite(body: Body, _asked: Asked) -> Body:
        parts = urlsplit(_next_url(body))
        return {**body, "next_url": f"{origin}{parts.path}?{parts.query}"}

    return Fault(rewrite=rewrite)


def next_url_loop() -> Fault:
    """The next page is said to be this one."""
    return Fault(rewrite=lambda body, asked: {**body, "next_url": f"{asked.origin}{asked.target}"})


def _on_the_middle_row(fields: Body) -> Fault:
    def rewrite(body: Body, _asked: Asked) -> Body:
        rows = list(_rows(body))
        rows[len(rows) // 2] = {**rows[len(rows) // 2], **fields}
        return {**body, "results": rows}

    return Fault(rewrite=rewrite)


def _rows(body: Body) -> list[Body]:
    rows = body.get("results")
    if not isinstance(rows, list) or not rows:
        raise UnfitFaultError("the right answer has no rows")
    return rows


def _next_url(body: Body) -> str:
    link = body.get("next_url")
    if not isinstance(link, str):
        raise UnfitFaultError("the right answer has no next_url")
    return link
