"""Aggregates: pages of bars, and bars as the vendor's rows."""

from dataclasses import dataclass

import orjson
import polars as pl

from chandlery.sources.standin.adjustment import adjusted
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.queries import BarsQuery

FIELDS = {
    "T": "symbol",
    "v": "volume",
    "vw": "vwap",
    "o": "open",
    "c": "close",
    "h": "high",
    "l": "low",
    "t": "t",
    "n": "trade_count",
}
CSV_COLUMNS = ("T", "c", "h", "l", "n", "o", "t", "v", "vw")


@dataclass(frozen=True, slots=True)
class BarsPage:
    """One page of aggregates."""

    rows: pl.DataFrame
    next_t: int | None
    """`t` of the first row left out, in the order asked for; None if the window is exhausted."""


def read_page(holdings: Holdings, query: BarsQuery, *, page_limit: int, until: int | None) -> BarsPage:
    """Return the first rows of the window, at most `min(query.limit, page_limit)`.

    Args:
        holdings: what there is.
        query: what is asked for.
        page_limit: rows a page never exceeds.
        until: first `t` that is not published yet; None: all is.
    """
    frame = holdings.frame(query.symbol, query.timeframe)
    end = query.end if until is None else min(query.end, until)
    first, last = (frame["t"].search_sorted(t, side="left") for t in (query.start, end))
    left = max(0, last - first)
    count = min(query.limit, page_limit, left)
    following = None
    if query.is_descending:
        rows = frame.slice(last - count, count).reverse()
        if count < left:
            following = frame["t"][last - count - 1]
    else:
        rows = frame.slice(first, count)
        if count < left:
            following = frame["t"][first + count]
    if query.is_adjusted:
        rows = adjusted(rows, holdings.splits(query.symbol))
    return BarsPage(rows, following)


def named_by_vendor(rows: pl.DataFrame) -> pl.DataFrame:
    """Return bars under the vendor's one-letter names; a column without any value is left out."""
    present = {key: name for key, name in FIELDS.items() if name in rows.columns}
    return rows.select(
        pl.col(name).alias(key) for key, name in present.items() if rows[name].null_count() < rows.height
    )


def to_json(shown: pl.DataFrame) -> bytes:
    """Return rows as a JSON array, `[]` if there is none."""
    # The vendor leaves vw and n out where it has none; a column without any value is gone already.
    optional = [key for key in ("vw", "n") if key in shown.columns and shown[key].null_count()]
    if not optional:
        return shown.write_json().encode() if shown.height else b"[]"
    return orjson.dumps(
        [
            {key: value for key, value in row.items() if value is not None or key not in optional}
            for row in shown.to_dicts()
        ]
    )
