"""The contract of `BarSource`, over every source: read the protocol's docstrings for what each test means.

A source joins by a fixture that offers AAPL minutes of 2016-04-15 to 2016-05-13, BA days to 2013-12-31 and
the splits and listings of the recorded tape.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import httpx
import polars as pl
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from chandlery.errors import InvalidInput
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources import BarSource, Listing, MassiveSource, OpenGate, Split
from chandlery.sources.standin import create_app, running
from chandlery.sources.tapes import Tape

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def _massive(base_url: str, transport: httpx.BaseTransport | None = None) -> MassiveSource:
    return MassiveSource(
        base_url=base_url,
        api_key=SecretStr("any"),
        gate=OpenGate(),
        retries=1,
        timeout_s=10.0,
        transport=transport,
    )


def _on_mock_transport(tape: Tape) -> Iterator[BarSource]:
    client = TestClient(create_app(tape, page_limit=1500))

    def answer(request: httpx.Request) -> httpx.Response:
        served = client.get(request.url.raw_path.decode(), headers=dict(request.headers))
        return httpx.Response(served.status_code, headers=dict(served.headers), content=served.content)

    yield _massive("https://api.massive.com", httpx.MockTransport(answer))


def _on_stand_in(tape: Tape) -> Iterator[BarSource]:
    with running(tape) as url:
        yield _massive(url)


SOURCES = {"massive on a mock transport": _on_mock_transport, "massive on the stand-in": _on_stand_in}


@pytest.fixture(scope="module")
def tape() -> Tape:
    if not DATA.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    return Tape.open(DATA / "tapes")


@pytest.fixture(scope="module", params=SOURCES.values(), ids=SOURCES.keys())
def source(request: pytest.FixtureRequest, tape: Tape) -> Iterator[BarSource]:
    for source in request.param(tape):
        yield source
        source.close()
        source.close()


def test_end_is_exclusive_and_sessions_are_local_dates(source: BarSource) -> None:
    batch = source.fetch_bars("AAPL", Timeframe.M1, date(2016, 4, 18), date(2016, 4, 20))
    sessions = batch.bars["ts"].dt.convert_time_zone("America/New_York").dt.date().unique().sort().to_list()
    assert sessions == [date(2016, 4, 18), date(2016, 4, 19)]
    assert batch.bars.height == 2 * 390


def test_frame_has_the_schema_of_bars_ascending_and_unique(source: BarSource) -> None:
    for symbol, timeframe, start in (("AAPL", Timeframe.M1, date(2016, 4, 15)), ("BA", Timeframe.D1, date(2013, 1, 1))):
        bars = source.fetch_bars(symbol, timeframe, start, start + timedelta(days=400)).bars
        assert bars.schema == pl.Schema(BAR_SCHEMA)
        assert bars["ts"].is_sorted()
        assert bars["ts"].is_unique().all()


def test_day_bar_lies_at_local_midnight(source: BarSource) -> None:
    bars = source.fetch_bars("BA", Timeframe.D1, date(2013, 3, 8), date(2013, 3, 12)).bars
    assert bars["ts"].to_list() == [datetime(2013, 3, 8, 5, tzinfo=UTC), datetime(2013, 3, 11, 4, tzinfo=UTC)]


def test_batch_tells_what_was_asked_and_what_it_cost(source: BarSource) -> None:
    batch = source.fetch_bars("X:BTCUSD", Timeframe.M1, date(2016, 3, 1), date(2016, 3, 3))
    assert (batch.symbol, batch.timeframe) == ("X:BTCUSD", Timeframe.M1)
    assert (batch.start, batch.end) == (date(2016, 3, 1), date(2016, 3, 3))
    assert batch.attempts >= batch.pages >= 1
    assert batch.dropped == 0
    assert len(set(batch.request_ids)) == batch.pages
    assert batch.source == "tape"


def test_windows_side_by_side_join_without_gap_or_overlap(source: BarSource, tape: Tape) -> None:
    cuts = [date(2016, 2, 1), date(2016, 2, 20), date(2016, 3, 13), date(2016, 4, 2), date(2016, 4, 20)]
    parts = [source.fetch_bars("X:BTCUSD", Timeframe.M1, start, end).bars for start, end in pairwise(cuts)]
    assert pl.concat(parts).equals(tape.bars("X:BTCUSD", Timeframe.M1))


def test_asking_again_gives_the_same_bars(source: BarSource) -> None:
    first, second = (source.fetch_bars("BA", Timeframe.D1, date(1962, 1, 1), date(2014, 1, 1)).bars for _ in range(2))
    assert first.height == 13090
    assert first.equals(second)


@pytest.mark.parametrize(("symbol", "start"), [("NONE", date(2016, 4, 15)), ("AAPL", date(2016, 4, 16))])
def test_unknown_symbol_and_weekend_are_empty_frames(source: BarSource, symbol: str, start: date) -> None:
    batch = source.fetch_bars(symbol, Timeframe.M1, start, start + timedelta(days=1))
    assert batch.bars.schema == pl.Schema(BAR_SCHEMA)
    assert batch.bars.is_empty()


@pytest.mark.parametrize(
    ("symbol", "timeframe", "days"), [("AAPL", Timeframe.H1, 1), ("AAPL", Timeframe.M1, 0), ("?", Timeframe.M1, 1)]
)
def test_impossible_request_is_invalid_input(source: BarSource, symbol: str, timeframe: Timeframe, days: int) -> None:
    start = date(2016, 4, 15)
    with pytest.raises(InvalidInput):
        source.fetch_bars(symbol, timeframe, start, start + timedelta(days=days))


def test_splits_are_ascending_and_unknown_symbols_have_none(source: BarSource) -> None:
    assert source.fetch_splits("EBAY") == (
        Split("EBAY", date(1999, 3, 2), split_from=1, split_to=3),
        Split("EBAY", date(2000, 5, 25), split_from=1, split_to=2),
        Split("EBAY", date(2003, 8, 29), split_from=1, split_to=2),
        Split("EBAY", date(2005, 2, 17), split_from=1, split_to=2),
    )
    assert source.fetch_splits("NONE") == ()


def test_listings_are_stocks_and_crypto_ascending(source: BarSource) -> None:
    listings = source.list_instruments()
    assert [listing.symbol for listing in listings] == ["AAPL", "BA", "EBAY", "GE", "MSFT", "SPY", "X:BTCUSD"]
    assert listings[1] == Listing("BA", "BA", AssetClass.STOCKS, date(1962, 1, 2), date(2013, 12, 31))
    assert listings[-1].asset_class is AssetClass.CRYPTO


def test_dividends_are_ascending_and_unknown_symbols_have_none(source: BarSource) -> None:
    dividends = source.fetch_dividends("BA")
    assert len(dividends) == 203
    assert [item.ex_dividend_date for item in dividends] == sorted(item.ex_dividend_date for item in dividends)
    last = dividends[-1]
    assert (last.symbol, last.ex_dividend_date, last.currency, last.kind) == ("BA", date(2013, 11, 6), "USD", "CD")
    assert last.cash_amount == Decimal("0.485")
    assert source.fetch_dividends("EBAY") == source.fetch_dividends("NONE") == ()


def test_ticker_changes_end_with_the_present_ticker(source: BarSource) -> None:
    changes = source.fetch_ticker_changes("BA")
    assert changes[-1].ticker == "BA"
    assert [change.day for change in changes] == sorted(change.day for change in changes)
    assert source.fetch_ticker_changes("NONE") == ()


def test_holidays_are_ascending_and_early_closes_have_their_hours(source: BarSource) -> None:
    holidays = source.fetch_holidays()
    order = [(holiday.day, holiday.exchange) for holiday in holidays]
    assert order == sorted(order)
    assert all(holiday.is_closed == (holiday.close is None) for holiday in holidays)


def test_market_day_holds_the_day_bars_of_all_stocks(source: BarSource) -> None:
    day = source.fetch_market_day(date(2013, 3, 8))
    assert day.bars.schema == pl.Schema({"symbol": pl.String, **BAR_SCHEMA})
    assert day.bars["symbol"].to_list() == ["AAPL", "BA", "EBAY", "GE", "SPY"]
    for symbol in ("BA", "GE"):
        own = source.fetch_bars(symbol, Timeframe.D1, date(2013, 3, 8), date(2013, 3, 9)).bars
        assert day.bars.filter(symbol=symbol).drop("symbol").equals(own)
    assert source.fetch_market_day(date(2013, 3, 9)).bars.is_empty()


def test_description_is_the_listing_and_unknown_tickers_have_none(source: BarSource) -> None:
    listing = source.describe_instrument("BA")
    assert listing is not None
    assert (listing.symbol, listing.asset_class, listing.first_session) == ("BA", AssetClass.STOCKS, date(1962, 1, 2))
    assert source.describe_instrument("NONE") is None


def test_fingerprint_of_a_batch_tells_whether_the_bars_are_the_same(source: BarSource) -> None:
    first, again, other = (
        source.fetch_bars("BA", Timeframe.D1, date(2013, 1, 1), end).payload_sha256
        for end in (date(2013, 2, 1), date(2013, 2, 1), date(2013, 3, 1))
    )
    assert len(first) == 64
    assert (again == first, other == first) == (True, False)
