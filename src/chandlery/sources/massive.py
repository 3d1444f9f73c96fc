"""Massive (formerly Polygon): bars, splits and listings over its REST API.

The stand-in of `sources.standin` speaks the same paths, so this one client also reads tapes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import cast
from urllib.parse import quote, urlencode

import polars as pl
from pydantic import SecretStr

from chandlery import clock
from chandlery.errors import BadPayload, InvalidInput
from chandlery.log import get_logger
from chandlery.market.bars import check_range, empty_bars
from chandlery.market.symbols import SYMBOL_PATTERN, AssetClass, parse_symbol
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.sources._aggregates import Rows, Window, read_rows
from chandlery.sources._http import HttpClient, Transport
from chandlery.sources._pages import Page, read_pages
from chandlery.sources.pacing import TokenBucket
from chandlery.sources.protocol import BarBatch, Listing, Split
from chandlery.sources.sessions import local_midnight

_log = get_logger(__name__)

VENDOR = "massive"
MAX_BARS_A_PAGE = 50_000
_MAX_REFERENCE_ROWS = 1000
_SPANS = {Timeframe.M1: "minute", Timeframe.D1: "day"}
_LISTED_MARKETS = (AssetClass.STOCKS, AssetClass.CRYPTO)
_LARGEST_DENOMINATOR = 10_000


class MassiveSource:
    """A `BarSource` over the vendor's REST API (contract: `sources.protocol.BarSource`)."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        calls_per_minute: float,
        burst: int,
        retries: int,
        timeout_s: float,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._client = HttpClient(
            base_url=base_url,
            api_key=api_key,
            bucket=TokenBucket(rate=calls_per_minute / 60.0, capacity=burst, monotonic=monotonic, sleep=sleep),
            retries=retries,
            timeout_s=timeout_s,
            transport=transport,
            sleep=sleep,
            random=random if random is not None else Random(),  # noqa: S311 - spreads retries, guards nothing
            now=now,
        )

    def fetch_bars(self, symbol: str, timeframe: Timeframe, start: date, end: date) -> BarBatch:
        """Return the bars of the sessions `start <= session < end` (see `BarSource.fetch_bars`)."""
        ticker = parse_symbol(symbol)
        check_range(start, end)
        if timeframe not in BASE_TIMEFRAMES:
            raise InvalidInput(f"Timeframe was {timeframe}; a source delivers {' and '.join(BASE_TIMEFRAMES)}.")
        window = Window(local_midnight(start, ticker), local_midnight(end, ticker))
        pages: list[Page] = []
        parts: list[Rows] = []
        for page in read_pages(self._client, _bars_target(ticker, timeframe, start, end)):
            rows = read_rows(page, ticker, window)
            _check_advance(parts, rows, page)
            pages.append(page)
            parts.append(rows)
        return _batch(pages, parts, symbol=ticker, timeframe=timeframe, start=start, end=end)

    def fetch_splits(self, symbol: str) -> tuple[Split, ...]:
        """Return every split the vendor lists, equal rows once (see `BarSource.fetch_splits`)."""
        ticker = parse_symbol(symbol)
        target = "/v3/reference/splits?" + urlencode({"ticker": ticker, "limit": _MAX_REFERENCE_ROWS})
        splits = {_split(page, row, ticker) for page in read_pages(self._client, target) for row in page.rows}
        return tuple(sorted(splits, key=lambda split: (split.execution_date, split.split_from, split.split_to)))

    def list_instruments(self) -> tuple[Listing, ...]:
        """Return the active stocks and crypto pairs (see `BarSource.list_instruments`).

        Tickers that cannot be our symbols (the vendor writes preferred shares in mixed case, `BACpB`) are left
        out and counted in the log, because upper-casing them would name another instrument.
        """
        listings = {listing.symbol: listing for market in _LISTED_MARKETS for listing in self._listings(market)}
        return tuple(listings[symbol] for symbol in sorted(listings))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _listings(self, market: AssetClass) -> Iterator[Listing]:
        query = {"market": market.value, "active": "true", "limit": _MAX_REFERENCE_ROWS}
        skipped = 0
        for page in read_pages(self._client, "/v3/reference/tickers?" + urlencode(query)):
            for row in page.rows:
                ticker = _text(page, row, "ticker")
                if SYMBOL_PATTERN.fullmatch(ticker):
                    yield _listing(page, row, ticker, market)
                else:
                    skipped += 1
        if skipped:
            _log.info("tickers_skipped", market=market.value, count=skipped)


def _bars_target(symbol: str, timeframe: Timeframe, start: date, end: date) -> str:
    last = end - timedelta(days=1)
    query = urlencode({"adjusted": "false", "sort": "asc", "limit": MAX_BARS_A_PAGE})
    return f"/v2/aggs/ticker/{quote(symbol, safe=':')}/range/1/{_SPANS[timeframe]}/{start}/{last}?{query}"


def _check_advance(earlier: list[Rows], rows: Rows, page: Page) -> None:
    if not earlier or (page.is_last and rows.newest is None):
        return
    before = earlier[-1].newest
    if rows.newest is None or before is None or rows.newest <= before:
        raise BadPayload(f"{page.place} brings nothing newer than the page before it; nothing was stored.")


def _batch(
    pages: list[Page], parts: list[Rows], *, symbol: str, timeframe: Timeframe, start: date, end: date
) -> BarBatch:
    sent = pl.concat([rows.bars for rows in parts]) if parts else empty_bars()
    bars = sent.unique(maintain_order=True).sort("ts", maintain_order=True)
    batch = BarBatch(
        symbol=symbol,
        timeframe=timeframe,
        start=start,
        end=end,
        bars=bars,
        source="+".join(sorted({page.source or VENDOR for page in pages})),
        pages=len(pages),
        attempts=sum(page.attempts for page in pages),
        dropped=sum(rows.dropped for rows in parts),
        request_ids=tuple(page.request_id for page in pages if page.request_id is not None),
    )
    _log.info(
        "bars_fetched",
        symbol=symbol,
        timeframe=timeframe.value,
        start=str(start),
        end=str(end),
        rows=bars.height,
        collapsed=sent.height - bars.height,
        dropped=batch.dropped,
        pages=batch.pages,
        attempts=batch.attempts,
        source=batch.source,
    )
    return batch


def _split(page: Page, row: Mapping[str, object], symbol: str) -> Split:
    if row.get("ticker") != symbol:
        raise BadPayload(f"{page.place} was asked for {symbol} and holds {row.get('ticker')!r}; nothing was stored.")
    day = _day(page, row, "execution_date")
    if day is None:
        raise BadPayload(f"{page.place} has a split without execution_date; nothing was stored.")
    shares_from, shares_to = (_shares(page, row, key) for key in ("split_from", "split_to"))
    if shares_from.denominator == shares_to.denominator == 1:
        return Split(symbol, day, shares_from.numerator, shares_to.numerator)
    ratio = (shares_to / shares_from).limit_denominator(_LARGEST_DENOMINATOR)
    return Split(symbol, day, split_from=ratio.denominator, split_to=ratio.numerator)


def _shares(page: Page, row: Mapping[str, object], key: str) -> Fraction:
    value = row.get(key)
    if type(value) not in (int, float) or not 0 < cast("float", value) < float("inf"):
        raise BadPayload(f"{page.place} has a split whose {key} is {value!r}; nothing was stored.")
    return Fraction(str(value))


def _listing(page: Page, row: Mapping[str, object], symbol: str, market: AssetClass) -> Listing:
    return Listing(
        symbol=symbol,
        name=str(row.get("name") or symbol),
        asset_class=market,
        first_session=_day(page, row, "list_date"),
        last_session=_day(page, row, "delisted_utc"),
    )


def _text(page: Page, row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise BadPayload(f"{page.place} has a row whose {key} is {value!r}, not a text; nothing was stored.")
    return value


def _day(page: Page, row: Mapping[str, object], key: str) -> date | None:
    value = row.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise BadPayload(f"{page.place} has a row whose {key} is {value!r}, not a date; nothing was stored.") from error
