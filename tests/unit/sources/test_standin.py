"""The stand-in's bodies against the vendor's specification, recorded behaviour and independent figures."""

import base64
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import polars as pl
import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from chandlery.market.timeframes import Timeframe
from chandlery.sources.standin import create_app
from chandlery.sources.tapes import Tape

HEADERS = {"Authorization": "Bearer any"}
AGGS = "/v2/aggs/ticker/{stocksTicker}/range/{multiplier}/{timespan}/{from}/{to}"
CRYPTO_AGGS = "/v2/aggs/ticker/{cryptoTicker}/range/{multiplier}/{timespan}/{from}/{to}"


@pytest.fixture(scope="module")
def client(recorded: Tape) -> Iterator[TestClient]:
    with TestClient(create_app(recorded), headers=HEADERS) as client:
        yield client


@pytest.fixture(scope="module")
def specification(data: Path) -> dict[str, Any]:
    text = (data / "polygon/openapi/massive_rest_openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _schema(specification: dict[str, Any], path: str) -> Draft202012Validator:
    answer = specification["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    return Draft202012Validator(answer["schema"])


def _get(client: TestClient, path: str, **query: object) -> dict[str, Any]:
    response = client.get(path, params={key: str(value) for key, value in query.items()})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v2/aggs/ticker/AAPL/range/1/minute/2016-04-15/2016-04-18?limit=500&adjusted=false", AGGS),
        ("/v2/aggs/ticker/BA/range/1/day/1997-06-01/1997-06-30", AGGS),
        ("/v2/aggs/ticker/NONE/range/1/day/1997-06-01/1997-06-30", AGGS),
        ("/v2/aggs/ticker/X:BTCUSD/range/1/minute/2016-02-09/2016-02-10", CRYPTO_AGGS),
        ("/v3/reference/splits?ticker=EBAY", "/v3/reference/splits"),
        ("/v3/reference/tickers?market=crypto", "/v3/reference/tickers"),
        ("/v3/reference/tickers?limit=2", "/v3/reference/tickers"),
    ],
)
def test_body_is_valid_by_the_vendors_schema(
    client: TestClient, specification: dict[str, Any], path: str, operation: str
) -> None:
    _schema(specification, operation).validate(client.get(path).json())


def test_every_answer_has_its_own_request_id(client: TestClient) -> None:
    ids = {_get(client, "/v3/reference/splits")["request_id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(("headers", "query"), [({"Authorization": "Bearer x"}, ""), ({}, "?apiKey=x")])
def test_any_key_is_let_in(recorded: Tape, headers: dict[str, str], query: str) -> None:
    assert TestClient(create_app(recorded)).get(f"/v3/reference/splits{query}", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic abc"}])
def test_no_key_is_refused_in_the_recorded_shape(recorded: Tape, data: Path, headers: dict[str, str]) -> None:
    seen = json.loads((data / "polygon/errors/401_no_key.json").read_text(encoding="utf-8"))
    response = TestClient(create_app(recorded)).get("/v3/reference/splits", headers=headers)
    assert response.status_code == seen["http_status"]
    assert response.json() | {"request_id": "REDACTED"} == seen["body"]


def test_day_bars_across_the_change_to_summer_time_lie_where_the_vendors_recording_has_them(
    client: TestClient, data: Path
) -> None:
    path = "/v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04"
    recorded_rows = json.loads((data / f"polygon/client_python{path}.json").read_text(encoding="utf-8"))["results"]
    rows = _get(client, path, adjusted="false")["results"]
    assert [row["t"] for row in rows] == [row["t"] for row in recorded_rows]
    assert [row["c"] for row in rows] == pytest.approx([row["c"] * 28 for row in recorded_rows], abs=0.005)


def test_minutes_page_equals_the_recorded_file(client: TestClient, data: Path) -> None:
    rows = _get(client, "/v2/aggs/ticker/SPY/range/1/minute/2011-01-03/2011-01-31", limit=50000)["results"]
    file = pl.read_parquet(data / "tapes/us_minute/SPY_2011-01.parquet").sort("t")
    names = {"t": "t", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    assert len(rows) == 14180
    assert set(rows[0]) == set(names)
    for key, name in names.items():
        assert [row[key] for row in rows] == file[name].to_list()


def test_source_header_names_the_publisher(client: TestClient) -> None:
    headers = [
        client.get(f"/v2/aggs/ticker/{symbol}/range/1/day/2008-01-02/2008-01-03").headers["Chandlery-Source"]
        for symbol in ("BA", "SPY")
    ]
    assert headers == ["wiki", "yahoo"]


def test_adjusted_days_equal_the_published_adjustment_of_a_stock_without_dividends(
    client: TestClient, data: Path
) -> None:
    file = pl.read_parquet(data / "tapes/us_daily/EBAY.parquet").sort("session")
    rows = _get(client, "/v2/aggs/ticker/EBAY/range/1/day/1998-01-01/2013-12-31", limit=50000)["results"]
    for key, name in {"o": "adj_open", "h": "adj_high", "l": "adj_low", "c": "adj_close", "v": "adj_volume"}.items():
        assert [row[key] for row in rows] == pytest.approx(file[name].to_list(), rel=1e-12)


def test_adjusted_volume_equals_the_published_one_over_splits_of_three_to_two(client: TestClient, data: Path) -> None:
    file = pl.read_parquet(data / "tapes/us_daily/BA.parquet").sort("session")
    rows = _get(client, "/v2/aggs/ticker/BA/range/1/day/1962-01-01/2013-12-31", limit=50000)["results"]
    assert [row["v"] for row in rows] == pytest.approx(file["adj_volume"].to_list(), rel=1e-12)


def test_minutes_of_the_ex_date_are_on_the_new_basis_and_earlier_ones_adjusted(tmp_path: Path) -> None:
    ohlc = {"open": 90.0, "high": 90.0, "low": 90.0, "close": 90.0, "volume": 300.0}
    # 2016-04-18 is the ex-date: one minute the evening before, one in its pre-market (04:00 New York).
    stamps = [1_460_750_340_000, 1_460_966_400_000]
    days = [{"symbol": "S", "session": date(2016, 4, 18), **ohlc, "split_ratio": 1.5}]
    (tmp_path / "us_minute").mkdir()
    (tmp_path / "us_daily").mkdir()
    pl.DataFrame([{"symbol": "S", "t": t, **ohlc} for t in stamps]).write_parquet(tmp_path / "us_minute/s.parquet")
    pl.DataFrame(days).write_parquet(tmp_path / "us_daily/s.parquet")
    client = TestClient(create_app(Tape.open(tmp_path)), headers=HEADERS)
    rows = _get(client, "/v2/aggs/ticker/S/range/1/minute/2016-04-01/2016-04-30")["results"]
    assert [(row["c"], row["v"]) for row in rows] == [(60.0, 450.0), (90.0, 300.0)]


def test_trade_count_and_vwap_are_sent_only_where_known(tmp_path: Path) -> None:
    row = {"symbol": "S", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 2.0}
    known = {"t": 1_460_966_400_000, "vwap": 1.5, "trade_count": 7}
    (tmp_path / "us_minute").mkdir()
    frame = pl.DataFrame([row | known, row | {"t": 1_460_966_460_000, "vwap": None, "trade_count": None}])
    frame.write_parquet(tmp_path / "us_minute/s.parquet")
    client = TestClient(create_app(Tape.open(tmp_path)), headers=HEADERS)
    first, second = _get(client, "/v2/aggs/ticker/S/range/1/minute/2016-04-18/2016-04-18")["results"]
    assert (first["vw"], first["n"]) == (1.5, 7)
    assert set(second) == {"t", "o", "h", "l", "c", "v"}


def _walk(client: TestClient, path: str, **query: object) -> list[list[dict[str, Any]]]:
    body = _get(client, path, **query)
    pages = [body["results"]]
    while "next_url" in body:
        parts = urlsplit(body["next_url"])
        body = _get(client, parts.path, **dict(parse_qsl(parts.query)))
        pages.append(body.get("results", []))
    return pages


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/v2/aggs/ticker/AAPL/range/1/minute/2016-04-15/2016-04-18", 780),
        ("/v2/aggs/ticker/BA/range/1/day/1997-03-01/1997-10-31", 171),
    ],
)
def test_pages_in_either_order_add_up_to_the_whole_window(client: TestClient, path: str, rows: int, sort: str) -> None:
    pages = _walk(client, path, limit=100, sort=sort)
    joined = [row for page in pages for row in page]
    whole = _get(client, path, sort=sort)["results"]
    assert joined == whole
    assert len(joined) == rows
    assert [row["t"] for row in joined] == sorted({row["t"] for row in joined}, reverse=sort == "desc")


def test_next_url_is_the_same_path_from_the_next_bar_with_an_unpadded_cursor_and_no_key(client: TestClient) -> None:
    path = "/v2/aggs/ticker/AAPL/range/1/minute/2016-04-15/2016-04-18"
    body = _get(client, path, limit=3, adjusted="false", apiKey="secret")
    parts = urlsplit(body["next_url"])
    cursor = dict(parse_qsl(parts.query))["cursor"]
    assert parts.path == f"/v2/aggs/ticker/AAPL/range/1/minute/{body['results'][-1]['t'] + 60_000}/2016-04-18"
    assert "=" not in cursor
    assert dict(parse_qsl(base64.urlsafe_b64decode(cursor + "==").decode())) == {
        "adjusted": "false",
        "limit": "3",
        "sort": "asc",
    }
    assert (body["queryCount"], body["resultsCount"], body["count"]) == (3, 3, 3)


def test_milliseconds_snap_outwards_to_whole_bars(client: TestClient) -> None:
    opening = 1_460_727_000_000
    path = f"/v2/aggs/ticker/AAPL/range/1/minute/{opening + 61_000}/{opening + 120_001}"
    assert [row["t"] - opening for row in _get(client, path)["results"]] == [60_000, 120_000]
    path = f"/v2/aggs/ticker/BA/range/1/day/{865_396_800_000 + 1}/{865_396_800_000 + 2}"
    assert [row["t"] for row in _get(client, path)["results"]] == [865_396_800_000]


@pytest.mark.parametrize("default", [None, 50001, 70000])
def test_page_holds_5000_rows_by_default_and_never_more_than_50000(client: TestClient, default: int | None) -> None:
    query = {} if default is None else {"limit": default}
    body = _get(client, "/v2/aggs/ticker/X:BTCUSD/range/1/minute/2016-02-01/2016-05-01", **query)
    assert body["count"] == (5000 if default is None else 50000)
    assert "next_url" in body


@pytest.mark.parametrize(
    "path",
    ["/v2/aggs/ticker/NONE/range/1/day/2000-01-01/2001-01-01", "/v2/aggs/ticker/BA/range/1/day/2090-01-01/2091-01-01"],
)
def test_unknown_ticker_and_future_range_are_plainly_empty(client: TestClient, path: str) -> None:
    body = _get(client, path)
    assert "results" not in body
    assert (body["status"], body["resultsCount"]) == ("OK", 0)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/aggs/ticker/BA/range/1/day/2000-13-01/2001-01-01",
        "/v2/aggs/ticker/BA/range/1/day/yesterday/2001-01-01",
        "/v2/aggs/ticker/BA/range/1/day/2001-01-02/2001-01-01",
        "/v2/aggs/ticker/BA/range/1/day/9999-12-31/9999-12-31",
        "/v2/aggs/ticker/BA/range/5/minute/2000-01-01/2001-01-01",
        "/v2/aggs/ticker/BA/range/1/week/2000-01-01/2001-01-01",
        "/v2/aggs/ticker/BA/range/1/day/2000-01-01/2001-01-01?limit=0",
        "/v2/aggs/ticker/BA/range/1/day/2000-01-01/2001-01-01?limit=many",
        "/v2/aggs/ticker/BA/range/1/day/2000-01-01/2001-01-01?sort=up",
        "/v2/aggs/ticker/BA/range/1/day/2000-01-01/2001-01-01?cursor=A",
        "/v3/reference/splits?cursor=cGFnZV9tYXJrZXI9bm9uZQ",
    ],
)
def test_malformed_request_is_400_with_status_error(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert response.json()["status"] == "ERROR"
    assert response.json()["error"]


def test_splits_page_by_ten_newest_first(client: TestClient) -> None:
    pages = _walk(client, "/v3/reference/splits")
    rows = [row for page in pages for row in page]
    assert [len(page) for page in pages] == [10, 10, 1]
    assert [row["execution_date"] for row in rows] == sorted((row["execution_date"] for row in rows), reverse=True)
    assert len({row["id"] for row in rows}) == 21


def test_tickers_filter_by_market_and_carry_the_span_of_the_tape(client: TestClient) -> None:
    rows = _get(client, "/v3/reference/tickers", market="crypto")["results"]
    assert [(row["ticker"], row["list_date"], row["delisted_utc"], row["locale"]) for row in rows] == [
        ("X:BTCUSD", "2016-02-09", "2016-04-19T00:00:00Z", "global")
    ]
    assert _get(client, "/v3/reference/tickers", active="false")["results"] == []
    assert _get(client, "/v3/reference/tickers", ticker="BA")["count"] == 1


def test_page_of_fifty_thousand_minutes_takes_well_under_a_second(client: TestClient) -> None:
    path = "/v2/aggs/ticker/X:BTCUSD/range/1/minute/2016-02-01/2016-05-01"
    client.get(path, params={"limit": "1"})
    response: httpx.Response = client.get(path, params={"limit": "50000", "adjusted": "false"})
    assert response.json()["count"] == 50000
    assert response.elapsed.total_seconds() < 0.6


def test_tape_read_by_two_timeframes_serves_each(client: TestClient, recorded: Tape) -> None:
    days = _get(client, "/v2/aggs/ticker/AAPL/range/1/day/1980-01-01/2014-01-01", limit=50000, adjusted="false")
    assert days["count"] == recorded.bars("AAPL", Timeframe.D1).height == 8336
