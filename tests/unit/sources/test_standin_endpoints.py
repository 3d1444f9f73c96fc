"""The stand-in's newer endpoints against the vendor's specification, its recordings, and the tapes read directly."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft202012Validator

from chandlery.sources.standin import Answered, ask, create_app
from chandlery.sources.tapes import Tape

KEY = {"Authorization": "Bearer any"}
# The moment at which the vendor's market status was recorded.
RECORDED_AT = datetime(2022, 4, 28, 20, 48, 8, tzinfo=UTC)

Get = Callable[[str], Answered]

INSTRUMENTS = {
    "instruments": [
        {
            "ticker": "META",
            "name": "Meta Platforms, Inc.",
            "composite_figi": "BBG000MM2P62",
            "cik": "0001326801",
            "kind": "CS",
            "primary_exchange": "XNAS",
            "listed_on": "2012-05-18",
            "changes": [{"day": "2022-06-09", "ticker": "META"}, {"day": "2012-05-18", "ticker": "FB"}],
        },
        {"ticker": "GONE", "listed_on": "2001-01-02", "delisted_on": "2010-05-03"},
    ]
}


@pytest.fixture(scope="module")
def get(recorded: Tape) -> Get:
    app = create_app(recorded, now=lambda: RECORDED_AT)
    return lambda url: ask(app, url, headers=KEY)


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Get:
    folder = tmp_path_factory.mktemp("renamed")
    day = {"symbol": ["META"], "session": [date(2022, 6, 9)], "open": [1.0], "high": [1.0], "low": [1.0]}
    (folder / "us_daily").mkdir()
    pl.DataFrame({**day, "close": [1.0], "volume": [1.0]}).write_parquet(folder / "us_daily" / "meta.parquet")
    (folder / "tickers.json").write_text(json.dumps(INSTRUMENTS), encoding="utf-8")
    app = create_app(Tape.open(folder), now=lambda: RECORDED_AT)
    return lambda url: ask(app, url, headers=KEY)


@pytest.fixture(scope="module")
def specification(data: Path) -> dict[str, Any]:
    text = (data / "polygon/openapi/massive_rest_openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _validate(specification: dict[str, Any], path: str, body: object) -> None:
    answer = specification["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    Draft202012Validator(answer["schema"]).validate(body)


def _body(answer: Answered) -> Any:
    assert answer.status == 200, answer.content
    return json.loads(answer.content)


@pytest.mark.parametrize(
    ("url", "operation"),
    [
        ("/v3/reference/dividends?ticker=BA&limit=1000", "/v3/reference/dividends"),
        ("/v3/reference/dividends", "/v3/reference/dividends"),
        ("/v3/reference/tickers/AAPL", "/v3/reference/tickers/{ticker}"),
        ("/v3/reference/tickers/X:BTCUSD?date=2016-03-01", "/v3/reference/tickers/{ticker}"),
        ("/vX/reference/tickers/BA/events", "/vX/reference/tickers/{id}/events"),
        ("/v1/marketstatus/upcoming", "/v1/marketstatus/upcoming"),
        ("/v1/marketstatus/now", "/v1/marketstatus/now"),
        ("/v2/aggs/ticker/BA/prev", "/v2/aggs/ticker/{stocksTicker}/prev"),
        ("/v2/aggs/ticker/X:BTCUSD/prev", "/v2/aggs/ticker/{cryptoTicker}/prev"),
        ("/v2/aggs/ticker/NONE/prev", "/v2/aggs/ticker/{stocksTicker}/prev"),
        ("/v1/open-close/BA/1962-01-02", "/v1/open-close/{stocksTicker}/{date}"),
        (
            "/v2/aggs/grouped/locale/us/market/stocks/2010-05-06",
            "/v2/aggs/grouped/locale/us/market/stocks/{date}",
        ),
        (
            "/v2/aggs/grouped/locale/us/market/stocks/2010-05-08",
            "/v2/aggs/grouped/locale/us/market/stocks/{date}",
        ),
    ],
)
def test_body_is_valid_by_the_vendors_schema(get: Get, specification: dict[str, Any], url: str, operation: str) -> None:
    _validate(specification, operation, _body(get(url)))


def test_coming_closures_are_those_the_vendor_announced_on_the_day_of_its_recording(get: Get, data: Path) -> None:
    seen = json.loads((data / "polygon/client_python/v1/marketstatus/upcoming.json").read_text(encoding="utf-8"))
    last = max(row["date"] for row in seen)

    def told(rows: list[dict[str, str]]) -> set[tuple[str | None, ...]]:
        fields = ("exchange", "date", "status", "open", "close", "name")
        return {tuple(row.get(field) for field in fields) for row in rows if row["date"] <= last}

    ours = _body(get("/v1/marketstatus/upcoming"))
    assert told(ours) == told(seen)
    assert [row["date"] for row in ours] == sorted(row["date"] for row in ours)
    assert max(row["date"] for row in ours) <= "2023-04-28"


def test_today_is_no_coming_closure(recorded: Tape) -> None:
    app = create_app(recorded, now=lambda: datetime(2022, 5, 30, 15, tzinfo=UTC))
    days = [row["date"] for row in _body(ask(app, "/v1/marketstatus/upcoming", headers=KEY))]
    assert days[0] == "2022-06-20"


def test_market_status_equals_the_recorded_one_at_its_moment(get: Get, data: Path) -> None:
    seen = json.loads((data / "polygon/client_python/v1/marketstatus/now.json").read_text(encoding="utf-8"))
    assert _body(get("/v1/marketstatus/now")) == seen


@pytest.mark.parametrize(
    ("moment", "market", "is_early", "is_late", "fx"),
    [
        ("2022-04-28T13:29:59+00:00", "extended-hours", True, False, "open"),
        ("2022-04-28T13:30:00+00:00", "open", False, False, "open"),
        ("2022-04-29T00:00:00+00:00", "closed", False, False, "open"),
        ("2022-11-25T18:00:00+00:00", "extended-hours", False, True, "open"),
        ("2022-11-25T22:00:00+00:00", "closed", False, False, "closed"),
        ("2022-04-30T16:00:00+00:00", "closed", False, False, "closed"),
    ],
)
def test_market_status_follows_sessions_half_days_and_weekends(
    recorded: Tape, *, moment: str, market: str, is_early: bool, is_late: bool, fx: str
) -> None:
    app = create_app(recorded, now=lambda: datetime.fromisoformat(moment))
    body = _body(ask(app, "/v1/marketstatus/now", headers=KEY))
    assert (body["market"], body["earlyHours"], body["afterHours"]) == (market, is_early, is_late)
    assert body["currencies"] == {"fx": fx, "crypto": "open"}


def test_dividends_are_the_tapes_own_newest_first_with_the_printed_amount(get: Get, data: Path) -> None:
    body = _body(get("/v3/reference/dividends?ticker=GE&limit=1000"))
    file = pl.read_parquet(data / "tapes/us_daily/GE.parquet").filter(pl.col("ex_dividend") > 0).sort("session")
    assert len(body["results"]) == 208
    assert [row["ex_dividend_date"] for row in body["results"]] == [
        day.isoformat() for day in reversed(file["session"].to_list())
    ]
    assert [row["cash_amount"] for row in body["results"]] == file["ex_dividend"].to_list()[::-1]
    assert {(row["currency"], row["dividend_type"], row["ticker"]) for row in body["results"]} == {("USD", "CD", "GE")}
    assert len({row["id"] for row in body["results"]}) == 208


def test_dividends_are_cut_by_ex_date_and_paged(get: Get) -> None:
    window = "ticker=AAPL&ex_dividend_date.gte=2012-08-09&ex_dividend_date.lt=2013-11-06&order=asc&limit=2"
    first = _body(get(f"/v3/reference/dividends?{window}"))
    second = _body(get(first["next_url"].removeprefix("http://stand-in")))
    third = _body(get(second["next_url"].removeprefix("http://stand-in")))
    # Apple paid 2.65 three times and then 3.05 twice before the dividend of 2013-11-06.
    paid = [row["cash_amount"] for page in (first, second, third) for row in page["results"]]
    assert paid == [2.65, 2.65, 2.65, 3.05, 3.05]
    assert "next_url" not in third


def test_grouped_day_holds_every_stock_once_at_four_in_new_york(get: Get, data: Path) -> None:
    body = _body(get("/v2/aggs/grouped/locale/us/market/stocks/2010-05-06?adjusted=false"))
    rows = {row["T"]: row for row in body["results"]}
    assert sorted(rows) == ["AAPL", "BA", "EBAY", "GE", "SPY"]
    assert body["resultsCount"] == body["queryCount"] == 5
    assert {row["t"] for row in rows.values()} == {1_273_176_000_000}  # 2010-05-06 20:00 UTC
    file = pl.read_parquet(data / "tapes/us_daily/BA.parquet").filter(pl.col("session") == date(2010, 5, 6))
    expected = {
        key: file[name][0] for key, name in zip("ohlcv", ("open", "high", "low", "close", "volume"), strict=True)
    }
    assert {key: rows["BA"][key] for key in expected} == expected


def test_grouped_day_carries_the_time_the_vendor_recorded_for_its_own(tmp_path: Path, data: Path) -> None:
    folder = data / "polygon/client_python/v2/aggs/grouped/locale/us/market/stocks"
    seen = json.loads((folder / "2005-04-04&adjusted=true.json").read_text(encoding="utf-8"))["results"][0]
    (tmp_path / "us_daily").mkdir()
    bar = {"symbol": seen["T"], "session": date(2020, 10, 14), "open": seen["o"], "high": seen["h"], "low": seen["l"]}
    more = {"close": seen["c"], "volume": float(seen["v"]), "vwap": seen["vw"], "trade_count": seen["n"]}
    pl.DataFrame([{**bar, **more}]).write_parquet(tmp_path / "us_daily/gik.parquet")
    app = create_app(Tape.open(tmp_path))
    url = "/v2/aggs/grouped/locale/us/market/stocks/2020-10-14"
    assert _body(ask(app, url, headers=KEY))["results"] == [seen]


def test_grouped_day_is_adjusted_by_each_stocks_own_splits(get: Get, data: Path) -> None:
    rows = {row["T"]: row for row in _body(get("/v2/aggs/grouped/locale/us/market/stocks/1999-03-01"))["results"]}
    for symbol, column in (("EBAY", "adj_close"),):
        file = pl.read_parquet(data / f"tapes/us_daily/{symbol}.parquet").filter(pl.col("session") == date(1999, 3, 1))
        assert rows[symbol]["c"] == pytest.approx(file[column][0], rel=1e-12)


def test_weekend_is_an_empty_market_day(get: Get) -> None:
    body = _body(get("/v2/aggs/grouped/locale/us/market/stocks/2010-05-08"))
    assert "results" not in body
    assert body["resultsCount"] == 0


def test_previous_day_is_the_last_one_before_the_clock_stamped_with_its_end(recorded: Tape) -> None:
    app = create_app(recorded, now=lambda: datetime(2010, 5, 7, 3, tzinfo=UTC))  # still the 6th in New York
    body = _body(ask(app, "/v2/aggs/ticker/GE/prev?adjusted=false", headers=KEY))
    assert [(row["T"], row["t"]) for row in body["results"]] == [("GE", 1_273_089_600_000)]  # 2010-05-05 20:00 UTC
    assert body["ticker"] == "GE"


def test_open_close_tells_the_day_and_what_was_traded_around_it(get: Get, data: Path) -> None:
    body = _body(get("/v1/open-close/SPY/2011-01-05?adjusted=false"))
    days = pl.read_parquet(data / "tapes/us_daily/yahoo_SPY.parquet").filter(pl.col("session") == date(2011, 1, 5))
    minutes = pl.read_parquet(data / "tapes/us_minute/SPY_2011-01.parquet").sort("t")
    of_day = minutes.filter((pl.col("t") // 86_400_000) == date(2011, 1, 5).toordinal() - date(1970, 1, 1).toordinal())
    assert (body["from"], body["symbol"], body["close"]) == ("2011-01-05", "SPY", days["close"][0])
    # 04:00 and 20:00 in New York are 09:00 and 01:00 UTC, so the first row of the UTC day at or after 09:00 counts.
    assert body["preMarket"] == of_day.filter(pl.col("t") % 86_400_000 >= 9 * 3_600_000)["open"][0]
    until = (date(2011, 1, 6).toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000 + 3_600_000
    assert body["afterHours"] == minutes.filter(pl.col("t") < until)["close"][-1]


@pytest.mark.parametrize(
    "url",
    [
        "/v1/open-close/BA/2010-05-08",
        "/v1/open-close/NONE/2010-05-06",
        "/v3/reference/tickers/NONE",
        "/v3/reference/tickers/BA?date=1961-01-01",
        "/vX/reference/tickers/NONE/events",
    ],
)
def test_unknown_thing_is_404_with_status_not_found(get: Get, url: str) -> None:
    answer = get(url)
    assert answer.status == 404
    assert json.loads(answer.content)["status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "url",
    [
        "/v1/open-close/BA/2010-13-08",
        "/v2/aggs/grouped/locale/us/market/stocks/may",
        "/v3/reference/tickers/BA?date=x",
        "/v3/reference/dividends?order=up",
        "/v3/reference/dividends?sort=colour",
        "/v3/reference/splits?limit=-1",
    ],
)
def test_malformed_reference_request_is_400(get: Get, url: str) -> None:
    answer = get(url)
    assert (answer.status, json.loads(answer.content)["status"]) == (400, "ERROR")


@pytest.mark.parametrize(
    ("url", "status", "ticker"),
    [
        ("/v3/reference/tickers/META", 200, "META"),
        ("/v3/reference/tickers/FB?date=2020-01-02", 200, "FB"),
        ("/v3/reference/tickers/META?date=2022-06-09", 200, "META"),
        ("/v3/reference/tickers/FB?date=2022-06-09", 404, None),
        ("/v3/reference/tickers/META?date=2020-01-02", 404, None),
        ("/v3/reference/tickers/FB", 404, None),
    ],
)
def test_ticker_names_the_instrument_that_holds_it_on_the_day(
    renamed: Get, url: str, status: int, ticker: str | None
) -> None:
    answer = renamed(url)
    body = json.loads(answer.content)
    assert answer.status == status
    if ticker is not None:
        assert body["results"]["ticker"] == ticker
        assert body["results"]["composite_figi"] == "BBG000MM2P62"


@pytest.mark.parametrize("name", ["META", "BBG000MM2P62"])
def test_events_have_the_shape_of_the_recorded_ones(
    renamed: Get, specification: dict[str, Any], data: Path, name: str
) -> None:
    folder = data / "polygon/client_python/vX/reference/tickers/META"
    seen = json.loads((folder / "events&types=ticker_change.json").read_text(encoding="utf-8"))["results"]
    body = _body(renamed(f"/vX/reference/tickers/{name}/events?types=ticker_change"))
    _validate(specification, "/vX/reference/tickers/{id}/events", body)
    assert set(seen) <= set(body["results"])
    assert [set(event) <= set(ours) for event, ours in zip(seen["events"], body["results"]["events"], strict=True)]
    assert [(event["date"], event["ticker_change"]["ticker"]) for event in body["results"]["events"]] == [
        ("2022-06-09", "META"),
        ("2012-05-18", "FB"),
    ]


def test_delisted_instruments_are_listed_apart_and_on_their_days(renamed: Get) -> None:
    def tickers(query: str) -> list[str]:
        return [row["ticker"] for row in _body(renamed(f"/v3/reference/tickers?{query}"))["results"]]

    assert tickers("active=true") == ["META"]
    assert tickers("active=false") == ["GONE"]
    assert tickers("date=2005-06-01") == ["GONE"]
    assert tickers("date=2015-06-01") == ["FB"]


def test_days_around_1970_are_walked_page_by_page(get: Get, data: Path) -> None:
    """Midnight of 1969-12-31 and 1970-01-01 in New York has eight digits of milliseconds."""
    url: str | None = "/v2/aggs/ticker/GE/range/1/day/1969-12-22/1970-01-09?adjusted=false&limit=1"
    closes = []
    while url is not None:
        body = _body(get(url))
        closes += [row["c"] for row in body["results"]]
        url = body["next_url"].removeprefix("http://stand-in") if "next_url" in body else None
    file = pl.read_parquet(data / "tapes/us_daily/GE.parquet").sort("session")
    days = file.filter(pl.col("session").is_between(date(1969, 12, 22), date(1970, 1, 9)))
    assert closes == days["close"].to_list()
    assert len(closes) == 13


def test_printed_dividend_is_the_decimal_of_the_tape(recorded: Tape) -> None:
    amounts = [dividend.cash_amount for dividend in recorded.dividends("BA")]
    assert amounts[0] == Decimal("0.00823")
    assert len(amounts) == 203
