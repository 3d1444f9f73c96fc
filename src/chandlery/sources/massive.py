"""Massive (formerly Polygon): bars, corporate actions and listings over its REST API.

The stand-in of `sources.standin` speaks the same paths, so this one client also reads tapes.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from urllib.parse import quote, urlencode

import polars as pl
from pydantic import SecretStr

from chandlery import clock
from chandlery.errors import BadPayload, InvalidInput
from chandlery.log import get_logger
from chandlery.market.bars import check_range, empty_bars
from chandlery.market.symbols import SYMBOL_PATTERN, AssetClass, parse_symbol
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.sources._aggregates import AGGREGATES, Rows, Window, check_advance, read_rows
from chandlery.sources._backoff import Backoff
from chandlery.sources._fields import Row, check_ticker, text_of
from chandlery.sources._http import HttpClient, Transport
from chandlery.sources._market_day import GROUPED, read_market_rows
from chandlery.sources._pages import Page, PageReader
from chandlery.sources._reference import (
    DIVIDENDS,
    MAX_REFERENCE_ROWS,
    SPLITS,
    TICKERS,
    dividend_of,
    holiday_of,
    listing_of,
    split_of,
    ticker_change_of,
)
from chandlery.sources._verdict import Absent, AnswerTooLarge
from chandlery.sources.gate import Gate
from chandlery.sources.protocol import BarBatch, Dividend, Holiday, Listing, MarketDay, Split, TickerChange
from chandlery.sources.sessions import local_midnight

_log = get_logger(__name__)

VENDOR = "massive"
_SPANS = {Timeframe.M1: "minute", Timeframe.D1: "day"}
_LISTED_MARKETS = (AssetClass.STOCKS, AssetClass.CRYPTO)
_HOLIDAYS_PATH = "/v1/marketstatus/upcoming"


@dataclass(slots=True)
class _Reading:
    """What one `fetch_bars` has gathered so far."""

    symbol: str
    timeframe: Timeframe
    window: Window
    attempts: int = 0
    """Requests spent, those of abandoned walks included."""
    pages: list[Page] = field(default_factory=list)
    parts: list[Rows] = field(default_factory=list)


class MassiveSource:
    """A `BarSource` over the vendor's REST API (contract: `sources.protocol.BarSource`)."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        gate: Gate,
        retries: int,
        timeout_s: float,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
        confirm_empty: bool = True,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._client = HttpClient(
            base_url=base_url,
            api_key=api_key,
            gate=gate,
            retries=retries,
            timeout_s=timeout_s,
            backoff=backoff,
            transport=transport,
            sleep=sleep,
            random=random if random is not None else Random(),  # noqa: S311 - spreads retries, guards nothing
            now=now,
        )
        self._reader = PageReader(self._client)
        self._confirm_empty = confirm_empty

    def fetch_bars(self, symbol: str, timeframe: Timeframe, start: date, end: date) -> BarBatch:
        """Return the bars of the sessions `start <= session < end` (see `BarSource.fetch_bars`).

        An empty answer is asked for a second time before it is believed. Where the vendor finds the window too large
        (HTTP 413), its halves are fetched instead, down to one session.
        """
        ticker = parse_symbol(symbol)
        check_range(start, end)
        if timeframe not in BASE_TIMEFRAMES:
            raise InvalidInput(f"Timeframe was {timeframe}; a source delivers {' and '.join(BASE_TIMEFRAMES)}.")
        window = Window(local_midnight(start, ticker), local_midnight(end, ticker))
        reading = _Reading(ticker, timeframe, window)
        self._walk(reading, start, end)
        return _batch(reading, start, end)

    def fetch_splits(self, symbol: str) -> tuple[Split, ...]:
        """Return every split the vendor lists, equal rows once (see `BarSource.fetch_splits`)."""
        ticker = parse_symbol(symbol)
        target = "/v3/reference/splits?" + urlencode({"ticker": ticker, "limit": MAX_REFERENCE_ROWS})
        pages = self._reader.read(SPLITS, target)
        splits = {
            replace(split_of(page.place, row, ticker), publisher=page.source) for page in pages for row in page.rows
        }
        return tuple(sorted(splits, key=lambda split: (split.execution_date, split.split_from, split.split_to)))

    def fetch_dividends(self, symbol: str) -> tuple[Dividend, ...]:
        """Return every cash dividend the vendor lists, equal rows once (see `BarSource.fetch_dividends`)."""
        ticker = parse_symbol(symbol)
        target = "/v3/reference/dividends?" + urlencode({"ticker": ticker, "limit": MAX_REFERENCE_ROWS})
        pages = self._reader.read(DIVIDENDS, target)
        dividends = {
            replace(dividend_of(page.place, row, ticker), publisher=page.source) for page in pages for row in page.rows
        }
        return tuple(sorted(dividends, key=lambda item: (item.ex_dividend_date, item.cash_amount, repr(item))))

    def fetch_ticker_changes(self, symbol: str) -> tuple[TickerChange, ...]:
        """Return the tickers of what now holds `symbol` (see `BarSource.fetch_ticker_changes`)."""
        path = f"/vX/reference/tickers/{quote(parse_symbol(symbol), safe=':')}/events"
        found = self._described(path + "?types=ticker_change")
        events = [] if found is None else found.get("events", [])
        if not isinstance(events, list) or not all(isinstance(event, Mapping) for event in events):
            raise BadPayload(f"{path} has events that are not a list of objects; nothing was stored.")
        changes = {change for event in events if (change := ticker_change_of(path, event)) is not None}
        return tuple(sorted(changes, key=lambda change: (change.day, change.ticker)))

    def fetch_holidays(self) -> tuple[Holiday, ...]:
        """Return the coming closures and early closes (see `BarSource.fetch_holidays`)."""
        rows = self._client.get(_HOLIDAYS_PATH, is_list=True).body.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise BadPayload(f"{_HOLIDAYS_PATH} is not a list of objects; nothing was stored.")
        holidays = {holiday for row in rows if (holiday := holiday_of(_HOLIDAYS_PATH, row)) is not None}
        return tuple(sorted(holidays, key=lambda holiday: (holiday.day, holiday.exchange, holiday.name)))

    def fetch_market_day(self, session: date) -> MarketDay:
        """Return the day bars of all stocks of a session (see `BarSource.fetch_market_day`).

        The vendor labels these rows by the end of their window, so the session is the one that was asked for, once
        every row is known to belong to it.
        """
        target = f"/v2/aggs/grouped/locale/us/market/stocks/{session}?adjusted=false"
        pages = list(self._reader.read(GROUPED, target, confirm_empty=self._confirm_empty))
        rows = read_market_rows(pages, session)
        if rows.dropped:
            _log.info("tickers_skipped", market="stocks", session=str(session), count=rows.dropped)
        return MarketDay(
            session=session,
            bars=rows.bars,
            source=_publishers(pages),
            attempts=sum(page.attempts for page in pages),
            dropped=rows.dropped,
            request_ids=_request_ids(pages),
        )

    def list_instruments(self) -> tuple[Listing, ...]:
        """Return the active stocks and crypto pairs (see `BarSource.list_instruments`).

        Tickers that cannot be our symbols (the vendor writes preferred shares in mixed case, `BACpB`) are left
        out and counted in the log, because upper-casing them would name another instrument.
        """
        listings = {listing.symbol: listing for market in _LISTED_MARKETS for listing in self._listings(market)}
        return tuple(listings[symbol] for symbol in sorted(listings))

    def describe_instrument(self, symbol: str, on: date | None = None) -> Listing | None:
        """Return what the vendor says of one ticker on a day (see `BarSource.describe_instrument`)."""
        ticker = parse_symbol(symbol)
        path = f"/v3/reference/tickers/{quote(ticker, safe=':')}"
        found = self._described(path if on is None else f"{path}?date={on}")
        if found is None:
            return None
        check_ticker(path, found, ticker)
        return listing_of(path, found, ticker)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _walk(self, reading: _Reading, start: date, end: date) -> None:
        pages: list[Page] = []
        parts: list[Rows] = []
        target = _bars_target(reading.symbol, reading.timeframe, start, end)
        try:
            for page in self._reader.read(AGGREGATES, target, confirm_empty=self._confirm_empty):
                reading.attempts += page.attempts
                rows = read_rows(page, reading.symbol, reading.window)
                check_advance(parts, rows, page)
                pages.append(page.without_rows())
                parts.append(rows)
        except AnswerTooLarge as error:
            reading.attempts += error.attempts
            days = (end - start).days
            if days == 1:
                raise
            _log.warning("window_halved", symbol=reading.symbol, start=str(start), end=str(end))
            middle = start + timedelta(days=days // 2)
            self._walk(reading, start, middle)
            self._walk(reading, middle, end)
            return
        reading.pages += pages
        reading.parts += parts

    def _described(self, target: str) -> Row | None:
        try:
            body = self._client.get(target).body
        except Absent:
            return None
        found = body.get("results")
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if not isinstance(found, Mapping):
            raise BadPayload(f"{target.split('?', 1)[0]} has results that are no object; nothing was stored.")
        return found

    def _listings(self, market: AssetClass) -> Iterator[Listing]:
        query = {"market": market.value, "active": "true", "limit": MAX_REFERENCE_ROWS}
        skipped = 0
        for page in self._reader.read(TICKERS, "/v3/reference/tickers?" + urlencode(query)):
            for row in page.rows:
                ticker = text_of(page.place, row, "ticker")
                if SYMBOL_PATTERN.fullmatch(ticker):
                    yield listing_of(page.place, row, ticker, market=market)
                else:
                    skipped += 1
        if skipped:
            _log.info("tickers_skipped", market=market.value, count=skipped)


def _bars_target(symbol: str, timeframe: Timeframe, start: date, end: date) -> str:
    last = end - timedelta(days=1)
    query = urlencode({"adjusted": "false", "sort": "asc", "limit": AGGREGATES.limit})
    return f"/v2/aggs/ticker/{quote(symbol, safe=':')}/range/1/{_SPANS[timeframe]}/{start}/{last}?{query}"


def _batch(reading: _Reading, start: date, end: date) -> BarBatch:
    sent = pl.concat([rows.bars for rows in reading.parts]) if reading.parts else empty_bars()
    bars = sent.unique(maintain_order=True).sort("ts", maintain_order=True)
    batch = BarBatch(
        symbol=reading.symbol,
        timeframe=reading.timeframe,
        start=start,
        end=end,
        bars=bars,
        source=_publishers(reading.pages),
        pages=len(reading.pages),
        attempts=reading.attempts,
        dropped=sum(rows.dropped for rows in reading.parts),
        request_ids=_request_ids(reading.pages),
        payload_sha256=_fingerprint(reading.pages),
    )
    _log.info(
        "bars_fetched",
        symbol=batch.symbol,
        timeframe=batch.timeframe.value,
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


def _publishers(pages: list[Page]) -> str:
    return "+".join(sorted({page.source or VENDOR for page in pages}))


def _request_ids(pages: list[Page]) -> tuple[str, ...]:
    return tuple(page.request_id for page in pages if page.request_id is not None)


def _fingerprint(pages: list[Page]) -> str:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(page.payload)
    return digest.hexdigest()
