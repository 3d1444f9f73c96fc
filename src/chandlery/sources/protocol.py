"""What every bar source promises, and the values it hands over."""

from dataclasses import dataclass
from datetime import date
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


@dataclass(frozen=True, slots=True)
class Split:
    """One share split: `split_from` old shares became `split_to` new ones on `execution_date`."""

    symbol: str
    execution_date: date
    split_from: int
    split_to: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument a source offers; a session is None where the source does not say."""

    symbol: str
    name: str
    asset_class: AssetClass
    first_session: date | None
    last_session: date | None


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

    def list_instruments(self) -> tuple[Listing, ...]:
        """Return the active stocks and crypto pairs on offer, ascending by symbol.

        Raises:
            SourceError: see the class.
        """
        ...

    def close(self) -> None:
        """Release connections; calling twice is allowed, fetching afterwards is not."""
        ...
