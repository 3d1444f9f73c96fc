import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from chandlery.errors import BadPayload, InvalidInput
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources import BarBatch, Listing, MassiveSource, Split

Build = Callable[..., Any]

DAY = 1_112_331_600_000
"""2005-04-01 00:00 New York, still winter time."""


def _row(t: int, /, **values: object) -> dict[str, object]:
    return {"t": t, "o": 10.0, "h": 12.0, "l": 9.0, "c": 11.0, "v": 100.0} | values


def _page(*rows: object, headers: dict[str, str] | None = None, **body: object) -> httpx.Response:
    whole = {"ticker": "AAPL", "status": "OK", "adjusted": False, "request_id": "r1", "results": list(rows)} | body
    return httpx.Response(
        200, content=json.dumps(whole), headers={"content-type": "application/json"} | (headers or {})
    )


def _days(source: MassiveSource, start: date = date(2005, 4, 1), end: date = date(2005, 4, 5)) -> BarBatch:
    return source.fetch_bars("AAPL", Timeframe.D1, start, end)


def _minutes(source: MassiveSource) -> BarBatch:
    return source.fetch_bars("AAPL", Timeframe.M1, date(2005, 4, 1), date(2005, 4, 5))


def _recorded(data: Path, name: str, **changes: object) -> httpx.Response:
    path = data / "polygon/client_python/v2/aggs/ticker/AAPL/range/1/day" / name
    return httpx.Response(200, json=json.loads(path.read_text(encoding="utf-8")) | changes)


def test_recorded_bars_across_the_change_to_summer_time_keep_their_sessions(build: Build, data: Path) -> None:
    batch = _days(build(_recorded(data, "2005-04-01/2005-04-04.json", adjusted=False)).source)
    assert batch.bars.schema == pl.Schema(BAR_SCHEMA)
    assert batch.bars["ts"].to_list() == [datetime(2005, 4, 1, 5, tzinfo=UTC), datetime(2005, 4, 4, 4, tzinfo=UTC)]
    assert batch.bars.row(0)[1:] == (1.5032, 1.5064, 1.4489, 1.4604, 642646396.0, 1.469, 82132)
    assert (batch.source, batch.request_ids) == ("massive", ("12afda77aab3b1936c5fb6ef4241ae42",))


def test_recorded_row_before_the_window_is_dropped_and_counted(build: Build, data: Path) -> None:
    source = build(_recorded(data, "2005-04-02/2005-04-04.json", adjusted=False)).source
    batch = _days(source, start=date(2005, 4, 2))
    assert batch.bars["ts"].to_list() == [datetime(2005, 4, 4, 4, tzinfo=UTC)]
    assert batch.dropped == 1


def test_recorded_answer_with_adjusted_prices_is_a_bad_payload(build: Build, data: Path) -> None:
    with pytest.raises(BadPayload, match="adjusted=false"):
        _days(build(_recorded(data, "2005-04-01/2005-04-04.json")).source)


def test_request_asks_for_raw_ascending_bars_up_to_the_last_session(build: Build) -> None:
    bench = build(_page())
    _minutes(bench.source)
    url = bench.exchange.requests[0].url
    assert url.path == "/v2/aggs/ticker/AAPL/range/1/minute/2005-04-01/2005-04-04"
    assert dict(url.params) == {"adjusted": "false", "sort": "asc", "limit": "50000"}


def test_crypto_window_is_cut_at_midnight_utc(build: Build) -> None:
    first = int(datetime(2016, 3, 1, tzinfo=UTC).timestamp() * 1000)
    rows = [_row(first - 60_000), _row(first), _row(first + 86_340_000), _row(first + 86_400_000)]
    bench = build(_page(*rows, ticker="X:BTCUSD"))
    batch = bench.source.fetch_bars("x:btcusd", Timeframe.M1, date(2016, 3, 1), date(2016, 3, 2))
    assert (batch.bars.height, batch.dropped, batch.symbol) == (2, 2, "X:BTCUSD")
    assert bench.exchange.requests[0].url.path == "/v2/aggs/ticker/X:BTCUSD/range/1/minute/2016-03-01/2016-03-01"


def test_rows_come_out_sorted_and_equal_duplicates_once(build: Build) -> None:
    later, earlier = _row(DAY + 60_000), _row(DAY)
    batch = _minutes(build(_page(later, earlier, earlier, later)).source)
    assert batch.bars["ts"].dt.epoch("ms").to_list() == [DAY, DAY + 60_000]


def test_rows_of_one_time_with_different_values_are_both_kept(build: Build) -> None:
    batch = _minutes(build(_page(_row(DAY), _row(DAY, c=11.5))).source)
    assert batch.bars["close"].to_list() == [11.0, 11.5]


def test_nonsense_values_pass_as_sent_for_the_gate_to_judge(build: Build) -> None:
    rows = [_row(DAY, o=None, h=float("nan"), l=-1.0, c=1e11, v=9099.618093), {"t": DAY + 60_000}]
    bars = _minutes(build(_page(*rows)).source).bars
    assert bars["open"].to_list() == [None, None]
    assert bars["high"].is_nan().to_list() == [True, None]
    assert bars.select("low", "close", "volume").row(0) == (-1.0, 1e11, 9099.618093)
    assert bars.row(1)[1:] == (None,) * 7


@pytest.mark.parametrize(
    "row",
    [
        {"o": 1.0},
        _row(DAY, t=None),
        _row(DAY, t=1.5),
        _row(DAY, t=True),
        _row(DAY, t=2**70),
        _row(DAY, o="10"),
        _row(DAY, v=[1]),
        _row(DAY, n=True),
        "row",
    ],
)
def test_row_without_time_or_with_a_field_that_is_no_number_is_a_bad_payload(build: Build, row: object) -> None:
    with pytest.raises(BadPayload, match="Page 1"):
        _minutes(build(_page(row)).source)


@pytest.mark.parametrize(
    "body",
    [{"ticker": "MSFT"}, {"ticker": None}, {"adjusted": True}, {"adjusted": None}, {"results": {"t": 1}}],
)
def test_answer_about_something_else_is_a_bad_payload(build: Build, body: dict[str, object]) -> None:
    with pytest.raises(BadPayload):
        _minutes(build(_page(_row(DAY), **body)).source)


def test_empty_answer_about_another_ticker_is_a_bad_payload(build: Build) -> None:
    with pytest.raises(BadPayload, match="MSFT"):
        _minutes(build(_page(ticker="MSFT")).source)


def test_next_url_of_a_foreign_host_is_followed_on_our_own(build: Build) -> None:
    link = (
        "https://evil.example:8443/v2/aggs/ticker/AAPL/range/1/minute/1112331660000/2005-04-04?cursor=YQ&apiKey=stolen"
    )
    bench = build(_page(_row(DAY), next_url=link), _page(_row(DAY + 60_000), request_id="r2"))
    batch = _minutes(bench.source)
    assert {request.url.host for request in bench.exchange.requests} == {"api.massive.com"}
    assert bench.exchange.requests[1].url.raw_path == (
        b"/v2/aggs/ticker/AAPL/range/1/minute/1112331660000/2005-04-04?cursor=YQ"
    )
    assert (batch.bars.height, batch.pages, batch.request_ids) == (2, 2, ("r1", "r2"))


def test_next_url_with_two_slashes_stays_on_our_host(build: Build) -> None:
    bench = build(_page(_row(DAY), next_url="https://x//evil.example/v2?cursor=b"), _page(_row(DAY + 60_000)))
    _minutes(bench.source)
    assert {request.url.host for request in bench.exchange.requests} == {"api.massive.com"}


@pytest.mark.parametrize("link", ["cursor=abc", 7, "https://host/v2?a=ключ", "https://[/v2", "/v2\nHost: evil"])
def test_next_url_that_is_no_url_is_a_bad_payload(build: Build, link: object) -> None:
    with pytest.raises(BadPayload, match="no URL"):
        _minutes(build(_page(_row(DAY), next_url=link)).source)


def test_repeated_next_url_is_a_bad_payload(build: Build) -> None:
    looping = [_page(_row(DAY + i * 60_000), next_url="/v2/again?cursor=a") for i in range(9)]
    bench = build(*looping)
    with pytest.raises(BadPayload, match="already read"):
        _minutes(bench.source)
    assert len(bench.exchange.requests) == 2


@pytest.mark.parametrize("second", [[_row(DAY)], [_row(DAY - 60_000)]], ids=["same", "older"])
def test_page_that_brings_nothing_newer_is_a_bad_payload(build: Build, second: list[object]) -> None:
    bench = build(_page(_row(DAY), next_url="/v2/b?cursor=b"), _page(*second, next_url="/v2/c?cursor=c"))
    with pytest.raises(BadPayload, match="nothing newer"):
        _minutes(bench.source)


@pytest.mark.parametrize("link", [None, "/v2/c?cursor=c"], ids=["last", "not last"])
@pytest.mark.parametrize("rows", [{}, {"results": None}, {"results": []}], ids=["absent", "null", "list"])
def test_page_promised_by_a_next_url_that_stays_empty_is_a_bad_payload(
    build: Build, rows: dict[str, object], link: str | None
) -> None:
    empty = httpx.Response(200, json={"ticker": "AAPL", "status": "OK", "adjusted": False, "next_url": link, **rows})
    bench = build(_page(_row(DAY), next_url="/v2/b?cursor=b"), empty)
    with pytest.raises(BadPayload, match=r"Page 2 of .* promised by a next_url and has no rows"):
        _minutes(bench.source)
    assert len(bench.exchange.requests) == 3


def test_page_promised_by_a_next_url_may_be_empty_once(build: Build) -> None:
    bench = build(_page(_row(DAY), next_url="/v2/b?cursor=b"), _page(), _page(_row(DAY + 60_000)))
    batch = _minutes(bench.source)
    assert (batch.bars.height, batch.pages, batch.attempts) == (2, 2, 3)


END = 1_112_673_600_000
"""2005-04-05 00:00 New York, in summer time: where the window of `_minutes` ends."""


def test_stray_row_after_the_window_does_not_hold_up_the_walk(build: Build) -> None:
    first = _page(_row(DAY), _row(END + 86_400_000), next_url="/v2/b?cursor=b")
    batch = _minutes(build(first, _page(_row(DAY + 60_000))).source)
    assert (batch.bars.height, batch.dropped) == (2, 1)


def test_pages_wholly_outside_the_window_are_walked_through(build: Build) -> None:
    before = _page(_row(DAY - 60_000), next_url="/v2/b?cursor=b")
    within, after = _page(_row(DAY), next_url="/v2/c?cursor=c"), _page(_row(END))
    batch = _minutes(build(before, within, after).source)
    assert (batch.bars.height, batch.dropped, batch.pages) == (1, 2, 3)


def test_page_beyond_the_window_before_one_within_it_is_a_bad_payload(build: Build) -> None:
    first, beyond = _page(_row(DAY), next_url="/v2/b?cursor=b"), _page(_row(END), next_url="/v2/c?cursor=c")
    with pytest.raises(BadPayload, match="nothing newer"):
        _minutes(build(first, beyond, _page(_row(DAY + 60_000))).source)


def test_source_header_names_the_publisher_and_mixed_pages_keep_all(build: Build) -> None:
    first = _page(_row(DAY), headers={"Chandlery-Source": "wiki"}, next_url="/v2/b?cursor=b")
    second = _page(_row(DAY + 60_000), headers={"Chandlery-Source": "simulated"})
    assert _minutes(build(first, second).source).source == "simulated+wiki"


@pytest.mark.parametrize(
    ("symbol", "timeframe", "start", "end"),
    [
        ("AAPL", Timeframe.M5, date(2005, 4, 1), date(2005, 4, 5)),
        ("AAPL", Timeframe.D1, date(2005, 4, 5), date(2005, 4, 5)),
        ("A/../B", Timeframe.D1, date(2005, 4, 1), date(2005, 4, 5)),
        ("", Timeframe.D1, date(2005, 4, 1), date(2005, 4, 5)),
    ],
)
def test_impossible_request_is_refused_before_any_call(
    build: Build, symbol: str, timeframe: Timeframe, start: date, end: date
) -> None:
    bench = build(_page())
    with pytest.raises(InvalidInput):
        bench.source.fetch_bars(symbol, timeframe, start, end)
    assert bench.exchange.requests == []


def test_recorded_splits_keep_the_doubled_one_and_the_fractional_one(build: Build, data: Path) -> None:
    path = data / "polygon/client_python/v3/reference/splits.json"
    body = json.loads(path.read_text(encoding="utf-8"))

    def splits(symbol: str) -> tuple[Split, ...]:
        rows = [row for row in body["results"] if row["ticker"] == symbol]
        source: MassiveSource = build(httpx.Response(200, json=body | {"results": rows})).source
        return source.fetch_splits(symbol)

    assert splits("SHOP") == (
        Split("SHOP", date(2022, 6, 22), split_from=1, split_to=10),
        Split("SHOP", date(2022, 6, 29), split_from=1, split_to=10),
    )
    assert splits("CIG.C") == (Split("CIG.C", date(2022, 5, 2), split_from=3, split_to=4),)
    assert splits("BRW") == (Split("BRW", date(2022, 5, 20), split_from=2, split_to=1),)


def _splits(*rows: dict[str, object]) -> httpx.Response:
    return httpx.Response(200, json={"status": "OK", "results": list(rows)})


def _split(**changes: object) -> dict[str, object]:
    return {"ticker": "AAPL", "execution_date": "2020-08-31", "split_from": 1, "split_to": 4} | changes


def test_equal_splits_collapse_and_fractions_become_whole_numbers(build: Build) -> None:
    source = build(_splits(_split(), _split(), _split(execution_date="2019-01-02", split_to=1.5))).source
    assert source.fetch_splits("AAPL") == (
        Split("AAPL", date(2019, 1, 2), split_from=2, split_to=3),
        Split("AAPL", date(2020, 8, 31), split_from=1, split_to=4),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"ticker": "MSFT"},
        {"execution_date": "soon"},
        {"execution_date": None},
        {"split_from": 0},
        {"split_to": "4"},
        {"split_to": True},
        {"split_to": 1e-9},
    ],
)
def test_malformed_split_is_a_bad_payload(build: Build, changes: dict[str, object]) -> None:
    with pytest.raises(BadPayload):
        build(_splits(_split(**changes))).source.fetch_splits("AAPL")


def test_recorded_tickers_are_read_over_both_pages(build: Build, data: Path) -> None:
    folder = data / "polygon/client_python/v3/reference"
    first = (folder / "tickers.json").read_text(encoding="utf-8")
    (second,) = (path for path in folder.glob("tickers&cursor=*.json"))
    crypto = {
        "ticker": "X:BTCUSD",
        "name": "Bitcoin",
        "list_date": "2010-07-17",
        "delisted_utc": "2030-01-02T00:00:00Z",
    }
    mixed_case = {"ticker": "BACpB", "name": "a preferred share"}
    bench = build(
        *(httpx.Response(200, json=json.loads(text)) for text in (first, second.read_text(encoding="utf-8"))),
        httpx.Response(200, json={"status": "OK", "results": [crypto, mixed_case, {"ticker": "X:ETHUSD"}]}),
    )
    listings = bench.source.list_instruments()
    assert listings[0] == Listing(
        "A",
        "Agilent Technologies Inc.",
        AssetClass.STOCKS,
        None,
        None,
        composite_figi="BBG000C2V3D6",
        share_class_figi="BBG001SCTQY4",
        cik="0001090872",
        is_active=True,
    )
    assert listings[-2:] == (
        Listing("X:BTCUSD", "Bitcoin", AssetClass.CRYPTO, date(2010, 7, 17), date(2030, 1, 2)),
        Listing("X:ETHUSD", "X:ETHUSD", AssetClass.CRYPTO, None, None),
    )
    assert "BACPB" not in {listing.symbol for listing in listings}
    assert [request.url.params.get("market") for request in bench.exchange.requests] == ["stocks", None, "crypto"]


def test_ticker_that_is_no_text_is_a_bad_payload(build: Build) -> None:
    with pytest.raises(BadPayload, match="not a text"):
        build(httpx.Response(200, json={"status": "OK", "results": [{"ticker": 7}]})).source.list_instruments()
