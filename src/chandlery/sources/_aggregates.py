"""Aggregate pages: the vendor's JSON rows as bar frames, checked for shape but not for sense."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from chandlery.errors import BadPayload
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.sources._pages import Page

_FLOATS = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "vwap": "vw"}
_NUMBERS = frozenset({int, float, type(None)})
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Window:
    """Milliseconds since the epoch, `start <= t < end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What one page held: the bars inside the window, in the page's order, and what lay outside."""

    bars: pl.DataFrame
    dropped: int
    newest: int | None
    """Largest `t` of the page, outside the window included; None without rows."""


def read_rows(page: Page, symbol: str, window: Window) -> Rows:
    """Return the bars of a page.

    Values pass as sent: an absent or null field is null, NaN stays NaN, nothing is compared with anything.

    Raises:
        BadPayload: if the page speaks of another ticker or of adjusted prices, or a row has no `t` or a field
            that is no number.
    """
    _check_echo(page, symbol)
    stamps = _column(page, "t")
    if not all(type(t) is int and abs(t) < _INT64 for t in stamps):
        raise BadPayload(f"{page.place} has a row whose t is not a whole number of milliseconds; nothing was stored.")
    columns = {name: pl.Series(name, _column(page, key), dtype=pl.Float64) for name, key in _FLOATS.items()}
    counts = pl.Series("trade_count", _column(page, "n"), dtype=pl.Float64)
    frame = pl.DataFrame({"t": pl.Series("t", stamps, dtype=pl.Int64), **columns, "trade_count": counts})
    inside = frame.filter(pl.col("t").is_between(window.start, window.end, closed="left"))
    bars = inside.select(
        (pl.col("t") * 1000).cast(TS).alias("ts"),
        *_FLOATS,
        pl.col("trade_count").cast(pl.Int64, strict=False),
    ).select(pl.col(name).cast(dtype) for name, dtype in BAR_SCHEMA.items())
    newest = max((t for t in stamps if isinstance(t, int)), default=None)
    return Rows(bars, dropped=frame.height - inside.height, newest=newest)


def _check_echo(page: Page, symbol: str) -> None:
    ticker = page.body.get("ticker")
    if ticker != symbol and (page.rows or ticker is not None):
        raise BadPayload(f"{page.place} was asked for {symbol} and speaks of {ticker!r}; nothing was stored.")
    # An empty page holds no price that could be adjusted, and recorded ones do say `adjusted: true`.
    if page.rows and page.body.get("adjusted") is not False:
        found = page.body.get("adjusted")
        raise BadPayload(f"{page.place} was asked for adjusted=false and says {found!r}; nothing was stored.")


def _column(page: Page, key: str) -> Sequence[object]:
    values = [row.get(key) for row in page.rows]
    strange = set(map(type, values)) - _NUMBERS
    if strange:
        names = ", ".join(sorted(kind.__name__ for kind in strange))
        raise BadPayload(f"{page.place} has a row whose {key} is of type {names}, not a number; nothing was stored.")
    return values
