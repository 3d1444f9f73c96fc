"""Aggregate pages: the vendor's rows as bar frames, checked for shape but not for sense."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from chandlery.errors import BadPayload
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.symbols import AssetClass, asset_class_of
from chandlery.sources._pages import Endpoint, Page

MAX_BARS_A_PAGE = 50_000
AGGREGATES = Endpoint("aggregates", frozenset({"t", "o", "h", "l", "c", "v", "vw", "n", "otc"}), MAX_BARS_A_PAGE)

_FLOATS = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "vwap": "vw"}
_NUMBERS = frozenset({int, float, type(None)})
_INT64 = 2**63


_LARGEST_COUNT = 2.0**62


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
    """Largest `t` inside the window, of a page wholly outside it the largest at all; None without rows."""


def read_rows(page: Page, symbol: str, window: Window) -> Rows:
    """Return the bars of a page.

    Values pass as sent: an absent or null field is null, NaN stays NaN, nothing is compared with anything.

    Raises:
        BadPayload: if the page speaks of another ticker or of adjusted prices, or a row has no `t` or a field
            that is no number.
    """
    _check_echo(page, symbol)
    frame = frame_of(page)
    inside = frame.filter(pl.col("t").is_between(window.start, window.end, closed="left"))
    bars = inside.select((pl.col("t") * 1000).cast(TS).alias("ts"), pl.exclude("t")).select(*BAR_SCHEMA)
    # A stray row beyond the window would make the right page after it look as if the walk went back.
    newest = (inside if inside.height else frame).select(pl.col("t").max()).item()
    return Rows(bars, dropped=frame.height - inside.height, newest=newest)


def check_advance(earlier: Sequence[Rows], rows: Rows, page: Page) -> None:
    """Refuse a page that brings nothing newer than the one before it.

    The next page of an ascending walk begins where the last one ended, so one that is older or the same again is not
    the page that was asked for: what should have stood there is missing.

    Raises:
        BadPayload: if it does not advance.
    """
    if not earlier:
        return
    before = earlier[-1].newest
    if rows.newest is None or before is None or rows.newest <= before:
        raise BadPayload(f"{page.place} brings nothing newer than the page before it; nothing was stored.")


def check_unadjusted(page: Page) -> None:
    """Refuse a page that does not confirm that its prices are unadjusted.

    Raises:
        BadPayload: if it has rows and does not say `adjusted: false`; CSV says nothing.
    """
    # An empty page holds no price that could be adjusted, and recorded ones do say `adjusted: true`.
    if page.rows and not page.is_csv and page.body.get("adjusted") is not False:
        found = page.body.get("adjusted")
        raise BadPayload(f"{page.place} was asked for adjusted=false and says {found!r}; nothing was stored.")


def frame_of(page: Page) -> pl.DataFrame:
    """Return the rows as columns `t` (Int64, ms) and the values of `BAR_SCHEMA`.

    Raises:
        BadPayload: if a row has no whole `t` or a field that is no number.
    """
    stamps = _column(page, "t")
    if not all(type(t) is int and abs(t) < _INT64 for t in stamps):
        raise BadPayload(f"{page.place} has a row whose t is not a whole number of milliseconds; nothing was stored.")
    columns = {name: pl.Series(name, _column(page, key), dtype=pl.Float64) for name, key in _FLOATS.items()}
    # Clipped, not lost: a count of 1e308 is to reach the audit as an absurd one.
    sent = pl.Series("trade_count", _column(page, "n"), dtype=pl.Float64)
    counts = sent.clip(-_LARGEST_COUNT, _LARGEST_COUNT).cast(pl.Int64, strict=False)
    return pl.DataFrame({"t": pl.Series("t", stamps, dtype=pl.Int64), **columns, "trade_count": counts})


def _check_echo(page: Page, symbol: str) -> None:
    ticker = page.body.get("ticker")
    is_said = ticker is not None or (page.rows and not page.is_csv)
    if ticker != symbol and is_said:
        raise BadPayload(f"{page.place} was asked for {symbol} and speaks of {ticker!r}; nothing was stored.")
    # Indices have no shares, so their answers have no such field.
    if asset_class_of(symbol) is not AssetClass.INDICES or "adjusted" in page.body:
        check_unadjusted(page)


def _column(page: Page, key: str) -> Sequence[object]:
    values = [row.get(key) for row in page.rows]
    strange = set(map(type, values)) - _NUMBERS
    if strange:
        names = ", ".join(sorted(kind.__name__ for kind in strange))
        raise BadPayload(f"{page.place} has a row whose {key} is of type {names}, not a number; nothing was stored.")
    return values
