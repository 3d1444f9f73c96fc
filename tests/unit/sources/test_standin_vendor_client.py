"""The vendor's own client reads every endpoint of the stand-in, and every recording of the shared data."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import massive
import polars as pl
import pytest

from chandlery.sources.standin import create_app, create_recorded_app, running_app
from chandlery.sources.tapes import Tape


@pytest.fixture(scope="module")
def served(recorded: Tape) -> Iterator[massive.RESTClient]:
    app = create_app(recorded, page_limit=100, now=lambda: datetime(2022, 4, 28, 20, 48, 8, tzinfo=UTC))
    with running_app(app) as url:
        client = massive.RESTClient(api_key="any", base=url)
        yield client
        client.client.clear()


@pytest.fixture(scope="module")
def replayed(data: Path) -> Iterator[massive.RESTClient]:
    with running_app(create_recorded_app(data / "polygon/client_python")) as url:
        client = massive.RESTClient(api_key="any", base=url)
        yield client
        client.client.clear()


@pytest.fixture(scope="module")
def recording(data: Path) -> Any:
    def read(path: str) -> Any:
        return json.loads((data / "polygon/client_python" / f"{path}.json").read_text(encoding="utf-8"))

    return read


def test_aggregates_of_the_stand_in_are_walked_over_their_pages(served: massive.RESTClient, data: Path) -> None:
    aggs = list(served.list_aggs("MSFT", 1, "minute", "2016-04-15", "2016-04-15", adjusted=False, limit=50000))
    file = pl.read_parquet(data / "tapes/us_minute/MSFT.parquet").sort("t").head(390)
    assert [(agg.timestamp, agg.open, agg.close) for agg in aggs] == file.select("t", "open", "close").rows()


def test_actions_and_instruments_of_the_stand_in_are_read(served: massive.RESTClient) -> None:
    assert len(list(served.list_splits(ticker="BA"))) == 8
    dividends = list(served.list_dividends(ticker="BA", ex_dividend_date_gte="2013-01-01", order="asc", limit=2))
    assert [dividend.cash_amount for dividend in dividends] == [0.485] * 4
    assert {dividend.dividend_type for dividend in dividends} == {"CD"}
    assert [ticker.ticker for ticker in served.list_tickers(market="crypto")] == ["X:BTCUSD"]
    assert served.get_ticker_details("AAPL", date="2000-01-03").list_date == "1980-12-12"
    events = served.get_ticker_events("AAPL")
    assert events.events[0]["ticker_change"] == {"ticker": "AAPL"}


def test_days_of_the_stand_in_are_read(served: massive.RESTClient) -> None:
    grouped = served.get_grouped_daily_aggs("2010-05-06", adjusted=False)
    assert [agg.ticker for agg in grouped] == ["AAPL", "BA", "EBAY", "GE", "SPY"]
    (previous,) = served.get_previous_close_agg("GE")
    assert previous.timestamp == 1_388_523_600_000  # 2013-12-31 16:00 New York
    day = served.get_daily_open_close_agg("SPY", "2011-01-05")
    assert (day.from_, day.symbol, day.status) == ("2011-01-05", "SPY", "OK")
    assert day.pre_market is not None


def test_market_status_of_the_stand_in_is_read(served: massive.RESTClient) -> None:
    status = served.get_market_status()
    assert (status.market, status.after_hours, status.exchanges.nyse) == ("extended-hours", True, "extended-hours")
    first = served.get_market_holidays()[0]
    assert (first.name, first.date, first.status) == ("Memorial Day", "2022-05-30", "closed")


def test_recorded_bars_are_replayed_with_their_traps(replayed: massive.RESTClient, recording: Any) -> None:
    aggs = list(replayed.list_aggs("AAPL", 1, "day", "2005-04-01", "2005-04-04", adjusted=False))
    seen = recording("v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04")["results"]
    assert [(agg.timestamp, agg.close) for agg in aggs] == [(row["t"], row["c"]) for row in seen]
    outside = list(replayed.list_aggs("AAPL", 1, "day", "2005-04-02", "2005-04-04"))
    assert outside[0].timestamp == seen[0]["t"]
    assert replayed.get_grouped_daily_aggs("2005-04-04", adjusted=True)[0].ticker == "GIK"
    assert replayed.get_previous_close_agg("AAPL")[0].close == 156.8
    assert replayed.get_daily_open_close_agg("AAPL", "2005-04-01", adjusted=True).from_ == "2021-04-01"


def test_recorded_reference_data_is_replayed_page_by_page(replayed: massive.RESTClient, recording: Any) -> None:
    first = recording("v3/reference/tickers")
    cursor = first["next_url"].split("?", 1)[1].replace("=", "=", 1)
    second = recording(f"v3/reference/tickers&{cursor}")
    tickers = [ticker.ticker for ticker in replayed.list_tickers()]
    assert tickers == [row["ticker"] for page in (first, second) for row in page["results"]]
    splits = list(replayed.list_splits())
    assert [split.execution_date for split in splits if split.ticker == "SHOP"] == ["2022-06-29", "2022-06-22"]
    assert len(list(replayed.list_dividends())) == len(recording("v3/reference/dividends")["results"])
    then = recording("v3/reference/tickers/AAPL&date=2020-10-01")["results"]
    assert replayed.get_ticker_details("AAPL", date="2020-10-01").market_cap == then["market_cap"]
    now = recording("v3/reference/tickers/AAPL")["results"]
    assert replayed.get_ticker_details("AAPL").market_cap == now["market_cap"] != then["market_cap"]
    assert replayed.get_ticker_events("META", types="ticker_change").events[0]["date"] == "2022-06-11"
    assert len(replayed.get_ticker_types()) == len(recording("v3/reference/tickers/types")["results"])
    assert len(replayed.get_exchanges()) == len(recording("v3/reference/exchanges")["results"])


def test_recorded_market_and_quotes_are_replayed(replayed: massive.RESTClient, recording: Any) -> None:
    assert replayed.get_market_status().server_time == "2022-04-28T16:48:08-04:00"
    assert len(replayed.get_market_holidays()) == len(recording("v1/marketstatus/upcoming"))
    assert (
        replayed.get_last_trade("AAPL").price == recording("v2/last/nbbo/AAPL".replace("nbbo", "trade"))["results"]["p"]
    )
    assert (
        replayed.get_last_crypto_trade("BTC", "USD").exchange == recording("v1/last/crypto/BTC/USD")["last"]["exchange"]
    )
    contract = replayed.get_snapshot_option("AAPL", "O:AAPL230616C00150000")
    assert contract.details.contract_type == "call"
    assert len(replayed.get_snapshot_all("stocks")) == len(
        recording("v2/snapshot/locale/us/markets/stocks/tickers/index")["tickers"]
    )
