"""What every bar source promises, and the values it hands over."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import polars as pl

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe


@dataclass(frozen=True, slots=True, eq=False)
class BarBatch:
    """The answer to one `fetch_bars`.

    `bars` has the columns of `market.bars.BAR_SCHEMA`, ascending by `ts`, prices unadjusted. Values are the
    source's own: null, NaN, negative prices and two different rows of one `ts` are all possible, because
    judging them is the gate's business. Rows equal in every column are there once.
    """

    symbol: str
    timeframe: Timeframe
    start: date
    """First session asked for."""
    end: date
    """Session after the last one asked for."""
    bars: pl.DataFrame
    source: str
    """Who published the bars; several names are joined by `+` in alphabetical order."""
    pages: int
    attempts: int
    """Requests sent, retries included; at least `pages`."""
    dropped: int
    """Rows thrown away because they lay outside the window."""
    request_ids: tuple[str, ...]
    """The source's own ids of the answers, one per page that had one."""
    payload_sha256: str = ""
    """SHA-256 of the answers' bodies in order, request ids and `next_url` left out; empty where unknown."""


@dataclass(frozen=True, slots=True)
class Split:
    """One share split: `split_from` old shares became `split_to` new ones on `execution_date`."""

    symbol: str
    execution_date: date
    split_from: int
    split_to: int
    publisher: str | None = field(default=None, compare=False)
    """Who published it, where that is not the source itself (a tape's publisher)."""


@dataclass(frozen=True, slots=True)
class Dividend:
    """One cash dividend per share as the source records it, on the share basis of its ex-date."""

    symbol: str
    ex_dividend_date: date
    cash_amount: Decimal
    currency: str
    kind: str
    """The vendor's type: `CD` regular, `SC` special, `LT` and `ST` capital gains."""
    declaration_date: date | None = None
    record_date: date | None = None
    pay_date: date | None = None
    frequency: int | None = None
    publisher: str | None = field(default=None, compare=False)
    """Who published it, where that is not the source itself: publishers differ in how a dividend adjusts."""


@dataclass(frozen=True, slots=True)
class TickerChange:
    """From `day` on the instrument trades as `ticker`."""

    day: date
    ticker: str


@dataclass(frozen=True, slots=True)
class Holiday:
    """One coming day on which an exchange is closed or closes early, as the source announces it."""

    exchange: str
    day: date
    name: str
    is_closed: bool
    open: datetime | None
    close: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class MarketDay:
    """Day bars of a whole market, one row per symbol.

    `bars` has the columns `symbol` and `BAR_SCHEMA`, ascending by symbol; `ts` is local midnight of `session`,
    whatever the source wrote there. Rows whose ticker cannot be a symbol are counted in `dropped`.
    """

    session: date
    bars: pl.DataFrame
    source: str
    attempts: int
    dropped: int
    request_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument a source offers; a session is None where the source does not say."""

    symbol: str
    name: str
    asset_class: AssetClass
    first_session: date | None
    last_session: date | None
    composite_figi: str | None = None
    share_class_figi: str | None = None
    cik: str | None = None
    is_active: bool = True


class BarSource(Protocol):
    """Where bars and corporate actions come from.

    Every method may raise `RateLimited` or `Unavailable` (another try later can help), `NotEntitled` (key or
    plan) and `BadPayload` (the answer was not the documented one). None of them writes anything, so calling
    again is always safe; the answer may differ, because sources revise their bars.
    """

    def fetch_bars(self, symbol: str, timeframe: Timeframe, start: date, end: date) -> BarBatch:
        """Return the bars of the sessions `start <= session < end`.

        A session is the exchange-local date: New York for what is listed there, UTC for crypto. A symbol the
        source does not know, and a window without trades, give an empty frame, not an error.

        Args:
            symbol: as the vendor writes it (`AAPL`, `X:BTCUSD`).
            timeframe: `M1` or `D1`; a day bar's `ts` is local midnight in UTC.
            start: first session.
            end: session after the last one (exclusive).

        Raises:
            InvalidInput: for another timeframe, an impossible symbol or `start >= end`.
            SourceError: see the class.
        """
        ...

    def fetch_splits(self, symbol: str) -> tuple[Split, ...]:
        """Return all splits the source knows of a symbol, ascending by date, equal rows once.

        Nothing is judged: a source may list a split twice on different days, or on the wrong day. An unknown
        symbol gives an empty tuple.

        Raises:
            InvalidInput: for an impossible symbol.
            SourceError: see the class.
        """
        ...

    def fetch_dividends(self, symbol: str) -> tuple[Dividend, ...]:
        """Return all cash dividends the source knows of a symbol, ascending by ex-date, equal rows once.

        Coming ones are included. Nothing is judged. An unknown symbol gives an empty tuple.

        Raises:
            InvalidInput: for an impossible symbol.
            SourceError: see the class.
        """
        ...

    def fetch_ticker_changes(self, symbol: str) -> tuple[TickerChange, ...]:
        """Return the tickers the instrument that now holds `symbol` has had, ascending by day.

        A symbol the source does not know gives an empty tuple.

        Raises:
            InvalidInput: for an impossible symbol.
            SourceError: see the class.
        """
        ...

    def fetch_holidays(self) -> tuple[Holiday, ...]:
        """Return the coming closures and early closes, ascending by day and exchange.

        Raises:
            SourceError: see the class.
        """
        ...

    def fetch_market_day(self, session: date) -> MarketDay:
        """Return the day bars of all stocks for one session, unadjusted.

        Raises:
            SourceError: see the class; `BadPayload` also when the rows belong to another day.
        """
        ...

    def list_instruments(self) -> tuple[Listing, ...]:
        """Return the active stocks and crypto pairs on offer, ascending by symbol.

        Raises:
            SourceError: see the class.
        """
        ...

    def describe_instrument(self, symbol: str, on: date | None = None) -> Listing | None:
        """Return what the source says of one ticker on a day (today if None); None if it does not know it.

        Raises:
            InvalidInput: for an impossible symbol.
            SourceError: see the class.
        """
        ...

    def close(self) -> None:
        """Release connections; calling twice is allowed, fetching afterwards is not."""
        ...
