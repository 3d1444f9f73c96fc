"""Grouped daily pages: a whole market's day bars, one row per ticker, labelled by the END of their window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from chandlery.errors import BadPayload
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.sources._aggregates import AGGREGATES, check_unadjusted, frame_of
from chandlery.sources._pages import Endpoint, Page
from chandlery.sources._tickers import is_symbol
from chandlery.sources.sessions import local_midnight

GROUPED = Endpoint("grouped daily", AGGREGATES.fields | {"T"}, limit=1_000_000)
"""The endpoint has no limit: every answer is the whole market (about 12,000 rows)."""

_LISTED = "AAPL"
"""Any listed stock: where the market's day begins."""


@dataclass(frozen=True, slots=True)
class MarketRows:
    """Bars of a market's day as `symbol` and `BAR_SCHEMA`, and how many tickers could not be symbols."""

    bars: pl.DataFrame
    dropped: int


def read_market_rows(pages: Sequence[Page], session: date) -> MarketRows:
    """Return the rows of a session, ascending by symbol; rows equal in every column are there once.

    Raises:
        BadPayload: prices may be adjusted, rows belong to another day, a ticker is no text, or as `frame_of`.
    """
    frames = []
    for page in pages:
        check_unadjusted(page)
        frame = frame_of(page).insert_column(0, pl.Series("symbol", _tickers(page), dtype=pl.String))
        _check_day(page, frame, session)
        frames.append(frame)
    day = pl.lit(local_midnight(session, _LISTED) * 1000).cast(TS)
    sent = pl.concat(frames) if frames else pl.DataFrame(schema={"symbol": pl.String, "t": pl.Int64, **BAR_SCHEMA})
    bars = sent.with_columns(ts=day).select("symbol", *BAR_SCHEMA)
    listed = bars.filter(is_symbol(bars["symbol"]))
    kept = listed.unique(maintain_order=True).sort("symbol", maintain_order=True)
    return MarketRows(kept, dropped=bars.height - listed.height)


def _tickers(page: Page) -> list[str]:
    tickers = [row.get("T") for row in page.rows]
    if not all(isinstance(ticker, str) for ticker in tickers):
        raise BadPayload(f"{page.place} has a row whose T is no text; nothing was stored.")
    return [str(ticker) for ticker in tickers]


def _check_day(page: Page, frame: pl.DataFrame, session: date) -> None:
    # A window may end as late as the midnight after its day; the vendor writes 16:00 New York.
    first, last = local_midnight(session, _LISTED), local_midnight(session + timedelta(days=1), _LISTED)
    strange = frame.filter((pl.col("t") <= first) | (pl.col("t") > last))
    if strange.height:
        found = strange.select(pl.from_epoch("t", time_unit="ms")).item(0, 0)
        raise BadPayload(
            f"{page.place} was asked for {session} and has {strange.height} rows of another day (the first of {found} "
            "UTC); nothing was stored."
        )
