"""Dividends, ticker changes, holidays and descriptions: recorded answers, and malformed ones."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from chandlery.errors import BadPayload, InvalidInput
from chandlery.market.symbols import AssetClass
from chandlery.sources import Dividend, Holiday, Listing, TickerChange

Build = Callable[..., Any]

NOT_FOUND = httpx.Response(404, json={"status": "NOT_FOUND", "request_id": "r", "message": "Ticker not found."})


def _body(data: Path, name: str) -> Any:
    return json.loads((data / "polygon" / "client_python" / name).read_text(encoding="utf-8"))


def _rows(*rows: object) -> httpx.Response:
    return httpx.Response(200, json={"status": "OK", "results": list(rows)})


def test_recorded_dividends_ascend_and_keep_coming_ones_and_printed_amounts(build: Build, data: Path) -> None:
    body = _body(data, "v3/reference/dividends.json")
    rows = [row for row in body["results"] if row["ticker"] == "CSSEN"]
    bench = build(_rows(*rows, rows[0]))
    dividends = bench.source.fetch_dividends("cssen")
    assert len(dividends) == len(rows) == 8
    assert dividends[-1] == Dividend(
        "CSSEN",
        date(2025, 6, 12),
        Decimal("0.59375"),
        "USD",
        "CD",
        declaration_date=date(2020, 9, 9),
        record_date=date(2025, 6, 15),
        pay_date=date(2025, 6, 30),
        frequency=4,
    )
    assert [item.ex_dividend_date for item in dividends] == sorted(item.ex_dividend_date for item in dividends)
    assert dict(bench.exchange.requests[0].url.params) == {"ticker": "CSSEN", "limit": "1000"}


def _dividend(**changes: object) -> dict[str, object]:
    row = {"ticker": "KO", "ex_dividend_date": "2024-03-14", "cash_amount": 0.485, "dividend_type": "CD"}
    return row | changes


def test_dividends_that_differ_in_anything_are_both_kept_and_the_currency_is_the_rows_own(build: Build) -> None:
    rows = [_dividend(), _dividend(dividend_type="SC"), _dividend(cash_amount=1, currency="cad", pay_date="2024-04-01")]
    dividends = build(_rows(*rows)).source.fetch_dividends("KO")
    assert [(item.cash_amount, item.currency, item.kind) for item in dividends] == [
        (Decimal("0.485"), "USD", "CD"),
        (Decimal("0.485"), "USD", "SC"),
        (Decimal(1), "CAD", "CD"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"ticker": "PEP"},
        {"ex_dividend_date": None},
        {"ex_dividend_date": "soon"},
        {"cash_amount": "0.485"},
        {"cash_amount": None},
        {"cash_amount": True},
        {"dividend_type": 7},
        {"frequency": "4"},
        {"frequency": 0.5},
        {"currency": 1},
    ],
)
def test_malformed_dividend_is_a_bad_payload(build: Build, changes: dict[str, object]) -> None:
    with pytest.raises(BadPayload, match="nothing was stored"):
        build(_rows(_dividend(**changes))).source.fetch_dividends("KO")


def test_recorded_ticker_changes_of_meta_ascend(build: Build, data: Path) -> None:
    bench = build(httpx.Response(200, json=_body(data, "vX/reference/tickers/META/events&types=ticker_change.json")))
    assert bench.source.fetch_ticker_changes("META") == (
        TickerChange(date(2012, 5, 18), "FB"),
        TickerChange(date(2022, 6, 11), "META"),
    )
    assert str(bench.exchange.requests[0].url).endswith("/vX/reference/tickers/META/events?types=ticker_change")


def test_ticker_nobody_knows_has_no_changes_and_no_description(build: Build) -> None:
    bench = build(NOT_FOUND)
    assert bench.source.fetch_ticker_changes("NONE") == ()
    assert bench.source.describe_instrument("NONE") is None
    assert len(bench.exchange.requests) == 2


def test_page_that_does_not_exist_is_another_thing_than_an_unknown_ticker(build: Build) -> None:
    with pytest.raises(BadPayload, match="BASE_URL"):
        build(httpx.Response(404, html="<html>no such page</html>")).source.describe_instrument("AAPL")


def test_events_of_other_kinds_and_of_impossible_tickers_are_left_out(build: Build) -> None:
    events = [
        {"type": "spin_off", "date": "2020-01-01"},
        {"type": "ticker_change", "date": "2021-01-01", "ticker_change": {"ticker": "BACpB"}},
        {"type": "ticker_change", "date": "2022-01-01", "ticker_change": {"ticker": "BAC"}},
    ]
    with structlog.testing.capture_logs() as logged:
        changes = build(httpx.Response(200, json={"status": "OK", "results": {"events": events}}))
        assert changes.source.fetch_ticker_changes("BAC") == (TickerChange(date(2022, 1, 1), "BAC"),)
    assert [event["ticker"] for event in logged if event["event"] == "ticker_change_skipped"] == ["BACpB"]


@pytest.mark.parametrize(
    "results",
    [
        None,
        [],
        {"events": {"date": "2020-01-01"}},
        {"events": ["FB"]},
        {"events": [{"date": "x", "ticker_change": {"ticker": "FB"}}]},
        {"events": [{"date": "2020-01-01", "ticker_change": {}}]},
    ],
)
def test_malformed_events_are_a_bad_payload(build: Build, results: object) -> None:
    with pytest.raises(BadPayload):
        build(httpx.Response(200, json={"status": "OK", "results": results})).source.fetch_ticker_changes("FB")


def test_recorded_holidays_ascend_by_day_and_exchange(build: Build, data: Path) -> None:
    body = _body(data, "v1/marketstatus/upcoming.json")
    holidays = build(httpx.Response(200, json=body)).source.fetch_holidays()
    assert len(holidays) == len(body)
    assert holidays[:2] == tuple(
        Holiday(exchange, date(2022, 5, 30), "Memorial Day", is_closed=True, open=None, close=None)
        for exchange in ("NASDAQ", "NYSE")
    )
    early = [holiday for holiday in holidays if holiday.day == date(2022, 11, 25)]
    assert early[0] == Holiday(
        "NASDAQ",
        date(2022, 11, 25),
        "Thanksgiving",
        is_closed=False,
        open=datetime(2022, 11, 25, 14, 30, tzinfo=UTC),
        close=datetime(2022, 11, 25, 18, 0, tzinfo=UTC),
    )
    assert [holiday.day for holiday in holidays] == sorted(holiday.day for holiday in holidays)


def test_holiday_of_an_unknown_status_is_left_out_and_an_empty_list_is_no_error(build: Build) -> None:
    row = {"exchange": "NYSE", "date": "2027-01-01", "name": "?", "status": "late-open"}
    assert build(httpx.Response(200, json=[row])).source.fetch_holidays() == ()
    assert build(httpx.Response(200, json=[])).source.fetch_holidays() == ()


@pytest.mark.parametrize(
    "body",
    [
        {"status": "OK", "results": []},
        ["closed"],
        [{"exchange": "NYSE", "status": "closed"}],
        [{"exchange": 7, "date": "2027-01-01", "status": "closed"}],
        [{"exchange": "NYSE", "date": "2027-01-01", "status": "early-close", "close": "13:00"}],
        [{"exchange": "NYSE", "date": "2027-01-01", "status": "early-close", "close": "2027-01-01T18:00:00"}],
    ],
)
def test_malformed_holidays_are_a_bad_payload(build: Build, body: object) -> None:
    with pytest.raises(BadPayload):
        build(httpx.Response(200, json=body)).source.fetch_holidays()


def test_recorded_description_tells_identity_and_listing(build: Build, data: Path) -> None:
    bench = build(httpx.Response(200, json=_body(data, "v3/reference/tickers/AAPL&date=2020-10-01.json")))
    assert bench.source.describe_instrument("aapl", date(2020, 10, 1)) == Listing(
        "AAPL",
        "Apple Inc.",
        AssetClass.STOCKS,
        date(1980, 12, 12),
        None,
        composite_figi="BBG000B9XRY4",
        share_class_figi="BBG001S5N8V8",
        cik="0000320193",
        is_active=True,
    )
    assert bench.exchange.requests[0].url.raw_path == b"/v3/reference/tickers/AAPL?date=2020-10-01"


def test_delisted_instrument_is_inactive_and_forex_has_its_class(build: Build) -> None:
    gone = {"ticker": "TWTR", "market": "stocks", "active": False, "delisted_utc": "2022-11-08T05:00:00Z"}
    listing = build(httpx.Response(200, json={"status": "OK", "results": gone})).source.describe_instrument("TWTR")
    assert (listing.is_active, listing.last_session) == (False, date(2022, 11, 8))
    euro = {"ticker": "C:EURUSD", "market": "fx"}
    forex = build(httpx.Response(200, json={"status": "OK", "results": euro})).source.describe_instrument("C:EURUSD")
    assert forex.asset_class is AssetClass.FOREX


@pytest.mark.parametrize(
    "results",
    [{"ticker": "MSFT", "market": "stocks"}, {"ticker": "AAPL"}, {"ticker": "AAPL", "market": "moon"}, "AAPL"],
)
def test_description_of_something_else_is_a_bad_payload(build: Build, results: object) -> None:
    with pytest.raises(BadPayload):
        build(httpx.Response(200, json={"status": "OK", "results": results})).source.describe_instrument("AAPL")


@pytest.mark.parametrize("method", ["fetch_dividends", "fetch_ticker_changes", "describe_instrument"])
def test_impossible_symbol_is_refused_before_any_call(build: Build, method: str) -> None:
    bench = build(NOT_FOUND)
    with pytest.raises(InvalidInput):
        getattr(bench.source, method)("A/../B")
    assert bench.exchange.requests == []
