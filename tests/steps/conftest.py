"""A bar source that answers from frames, and daily prices as dbt would serve them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from judged_market import D1, END, START, Ask, Market

from chandlery.errors import SourceError
from chandlery.market.bars import BAR_SCHEMA, empty_bars
from chandlery.market.calendar import ZONES, sessions
from chandlery.market.symbols import asset_class_of, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import BarBatch, Dividend, Holiday, Listing, MarketDay, Split, TickerChange
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.universe import sync_universe
from chandlery.store.warehouse import Warehouse

STOCKS = ("AAPL", "BA", "GE", "IBM", "MSFT")


@dataclass
class FakeSource:
    """Implements `BarSource` over frames; `failures` are raised for their symbol."""

    frames: dict[tuple[str, Timeframe], pl.DataFrame] = field(default_factory=dict)
    splits: dict[str, tuple[Split, ...]] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    failures: dict[str, SourceError] = field(default_factory=dict)
    name: str = "tape"
    dropped: int = 0
    changes: dict[str, tuple[TickerChange, ...]] = field(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()
    listings: dict[str, Listing] = field(default_factory=dict)
    asked: list[tuple[str, Timeframe, date, date]] = field(default_factory=list)

    def fetch_bars(self, symbol: str, timeframe: Timeframe, start: date, end: date) -> BarBatch:
        self.asked.append((symbol, timeframe, start, end))
        if symbol in self.failures:
            raise self.failures[symbol]
        bars = self.frames.get((symbol, timeframe), empty_bars())
        day = pl.col("ts").dt.convert_time_zone(ZONES[calendar_of(asset_class_of(symbol))]).dt.date()
        return BarBatch(
            symbol=symbol,
            timeframe=timeframe,
            start=start,
            end=end,
            bars=bars.filter((day >= start) & (day < end)),
            source=self.name,
            pages=2,
            attempts=3,
            dropped=self.dropped,
            request_ids=(),
        )

    def fetch_splits(self, symbol: str) -> tuple[Split, ...]:
        if symbol in self.failures:
            raise self.failures[symbol]
        return self.splits.get(symbol, ())

    def fetch_dividends(self, symbol: str) -> tuple[Dividend, ...]:
        if symbol in self.failures:
            raise self.failures[symbol]
        return ()

    def fetch_ticker_changes(self, symbol: str) -> tuple[TickerChange, ...]:
        if symbol in self.failures:
            raise self.failures[symbol]
        return self.changes.get(symbol, ())

    def fetch_holidays(self) -> tuple[Holiday, ...]:
        if "holidays" in self.failures:
            raise self.failures["holidays"]
        return self.holidays

    def fetch_market_day(self, session: date) -> MarketDay:
        raise NotImplementedError(session)

    def list_instruments(self) -> tuple[Listing, ...]:
        if "*" in self.failures:
            raise self.failures["*"]
        return tuple(self._listing(symbol) for symbol in self.symbols)

    def describe_instrument(self, symbol: str, on: date | None = None) -> Listing | None:
        assert on is None
        if symbol in self.failures:
            raise self.failures[symbol]
        return self._listing(symbol) if symbol in (*self.symbols, *self.listings) else None

    def _listing(self, symbol: str) -> Listing:
        plain = Listing(symbol, f"{symbol} Inc.", asset_class_of(symbol), None, None)
        return self.listings.get(symbol, plain)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="session")
def source_of() -> type[FakeSource]:
    return FakeSource


def _minutes(day: date, *, count: int = 390, price: float = 100.0) -> pl.DataFrame:
    """Return `count` sound minutes from the opening of a day in New York."""
    opening = datetime(day.year, day.month, day.day, 9, 30, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    rows = [
        (opening + timedelta(minutes=place), price, price + 1, price - 1, price + 0.5, 1000.0 + place, price, 10)
        for place in range(count)
    ]
    return pl.DataFrame(rows, schema=dict(BAR_SCHEMA), orient="row")


@pytest.fixture(scope="session")
def minutes_of() -> Callable[..., pl.DataFrame]:
    return _minutes


def _days(seed: int, start: date, end: date) -> pl.DataFrame:
    """Return day bars of a random walk on the sessions `[start, end)`: 0.7 % a day, drifting up, low on its band."""
    table = sessions("NYSE", start, end)
    random = np.random.default_rng(seed)
    closes = 50.0 * np.exp(np.cumsum(random.normal(0.0008, 0.007, table.height)))
    opens = closes * np.exp(random.normal(0.0, 0.002, table.height))
    return pl.DataFrame(
        {
            "ts": table["day_ts"],
            "open": opens,
            "high": np.maximum(opens, closes) * 1.003,
            "low": np.minimum(opens, closes) * 0.997,
            "close": closes,
            "volume": random.integers(1_000, 9_000, table.height).astype(float),
            "vwap": None,
            "trade_count": None,
        }
    ).cast(dict(BAR_SCHEMA))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def days_of() -> Callable[..., pl.DataFrame]:
    return _days


_PRICES = """
create view marts.prices_daily as
select tickers.ticker as symbol, (bars.ts at time zone 'America/New_York')::date as session, bars.ts, bars.open,
    bars.high, bars.low, bars.close, bars.volume, ingests.source
from raw.massive__bars_1d as bars join ops.instrument_tickers as tickers using (instrument_id)
    join ops.ingests as ingests using (ingest_id)
"""


@dataclass(frozen=True)
class Priced:
    """A database with two years of daily prices of five stocks, and the frames they came from."""

    warehouse: Any
    frames: dict[str, pl.DataFrame]


@pytest.fixture(scope="package")
def priced(postgres: Any) -> Iterator[Priced]:
    first, last = date(2022, 1, 3), date(2024, 1, 1)
    frames = {symbol: _days(seed, first, last) for seed, symbol in enumerate(STOCKS)}
    source = FakeSource(
        {(symbol, Timeframe.D1): frame for symbol, frame in frames.items()}, symbols=STOCKS, name="wiki"
    )
    warehouse = postgres.create("priced")
    sync_universe(source, warehouse, symbols=(), source_name="wiki")
    build_calendar(warehouse, start=first, end=last)
    ingest_bars(source, warehouse, timeframe=Timeframe.D1, start=first, end=last)
    with warehouse.write() as connection:
        connection.exec_driver_sql(_PRICES)
    yield Priced(warehouse, frames)
    postgres.drop(warehouse)


@pytest.fixture
def market(source_of: Any, days_of: Any, fresh: Warehouse, ask: Ask) -> Market:
    frames = {(symbol, D1): days_of(seed, START, END) for seed, symbol in enumerate(("AAPL", "MSFT"))}
    source = source_of(frames, symbols=("AAPL", "MSFT"))
    sync_universe(source, fresh, symbols=(), source_name="tape")
    build_calendar(fresh, start=date(2021, 12, 1), end=date(2022, 12, 31))
    made = Market(fresh, source, ask)
    made.ingest()
    return made
