"""What one `fetch_bars` does beyond reading pages: empty answers, halves, fingerprints, drift, CSV."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import structlog

from chandlery.errors import BadPayload
from chandlery.market.timeframes import Timeframe
from chandlery.sources import BarBatch, MassiveSource

Build = Callable[..., Any]

NEW_YORK = ZoneInfo("America/New_York")


def _t(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).timestamp() * 1000)


def _row(day: date, **values: object) -> dict[str, object]:
    return {"t": _t(day), "o": 10.0, "h": 12.0, "l": 9.0, "c": 11.0, "v": 100.0} | values


def _page(*rows: object, **body: object) -> httpx.Response:
    whole = {"ticker": "AAPL", "status": "OK", "adjusted": False, "request_id": "r", "results": list(rows)} | body
    return httpx.Response(200, content=json.dumps(whole), headers={"content-type": "application/json"})


def _csv(text: str) -> httpx.Response:
    return httpx.Response(200, content=text.encode(), headers={"content-type": "text/csv; charset=utf-8"})


def _fetch(source: MassiveSource, start: date = date(2024, 1, 2), end: date = date(2024, 1, 6)) -> BarBatch:
    return source.fetch_bars("AAPL", Timeframe.D1, start, end)


JAN_2, JAN_3 = date(2024, 1, 2), date(2024, 1, 3)
EMPTY = [_page(), _page(results=None), httpx.Response(200, json={"status": "OK", "resultsCount": 0})]


@pytest.mark.parametrize("empty", EMPTY, ids=["list", "null", "absent"])
def test_empty_answer_is_asked_a_second_time_before_it_is_believed(build: Build, empty: httpx.Response) -> None:
    bench = build(empty, confirm_empty=True)
    batch = _fetch(bench.source)
    assert (batch.bars.height, batch.pages, batch.attempts) == (0, 1, 2)
    assert len(bench.exchange.requests) == 2


def test_null_for_a_moment_becomes_no_gap(build: Build) -> None:
    batch = _fetch(build(_page(results=None), _page(_row(JAN_2)), confirm_empty=True).source)
    assert (batch.bars.height, batch.attempts) == (1, 2)


def test_null_for_a_moment_on_a_later_page_becomes_no_gap(build: Build) -> None:
    answers = [_page(_row(JAN_2), next_url="/v2/b?cursor=b"), _page(results=None), _page(_row(JAN_3))]
    bench = build(*answers, confirm_empty=True)
    batch = _fetch(bench.source)
    assert (batch.bars.height, batch.pages, batch.attempts) == (2, 2, 3)
    assert bench.exchange.requests[1].url == bench.exchange.requests[2].url


class _Vendor:
    """Refuses windows of more than `most` days, and answers others with one bar a day."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[tuple[date, date]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        first, last = (date.fromisoformat(part) for part in request.url.path.split("/")[-2:])
        self.asked.append((first, last))
        days = [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]
        if len(days) > self.most:
            return httpx.Response(413, json={"status": "ERROR", "error": "too large"})
        return _page(*(_row(day, c=float(day.day)) for day in days), request_id=str(first))


def test_window_that_is_too_large_is_halved_until_it_fits_and_joined(build: Build) -> None:
    vendor = _Vendor(most=3)
    batch = _fetch(build(transport=httpx.MockTransport(vendor)).source, date(2024, 1, 1), date(2024, 1, 11))
    assert batch.bars["close"].to_list() == [float(day) for day in range(1, 11)]
    assert (batch.start, batch.end, batch.pages) == (date(2024, 1, 1), date(2024, 1, 11), 4)
    assert batch.attempts == len(vendor.asked) == 7
    assert batch.request_ids == ("2024-01-01", "2024-01-03", "2024-01-06", "2024-01-08")


def test_single_session_that_is_too_large_is_a_bad_payload(build: Build) -> None:
    vendor = _Vendor(most=0)
    with pytest.raises(BadPayload, match=r"413.*fewer sessions"):
        _fetch(build(transport=httpx.MockTransport(vendor)).source)
    assert vendor.asked[-1] == (JAN_2, JAN_2)


def test_page_that_grows_too_large_in_mid_walk_gives_its_pages_up(build: Build) -> None:
    answers = [
        _page(_row(JAN_2, c=1.0), next_url="/v2/b?cursor=b"),
        httpx.Response(413),
        _page(_row(JAN_2, c=2.0)),
        _page(_row(date(2024, 1, 4))),
    ]
    batch = _fetch(build(*answers).source)
    assert batch.bars["close"].to_list() == [2.0, 11.0]
    assert (batch.pages, batch.attempts) == (2, 4)


def test_fingerprint_depends_on_the_bars_and_not_on_the_request(build: Build) -> None:
    def fingerprint(*answers: httpx.Response) -> str:
        return str(_fetch(build(*answers).source).payload_sha256)

    def pages(request_id: str, host: str, close: float) -> tuple[httpx.Response, httpx.Response]:
        first = _page(_row(JAN_2), request_id=request_id, next_url=f"{host}/v2/b?cursor=b")
        return first, _page(_row(JAN_3, c=close), request_id=request_id + "2")

    once = fingerprint(*pages("a", "https://api.massive.com", 11.0))
    assert len(once) == 64
    assert fingerprint(*pages('b\\"x', "https://api.polygon.io", 11.0)) == once
    assert fingerprint(*pages("a", "https://api.massive.com", 11.5)) != once


def test_new_field_is_ignored_and_logged_once(build: Build) -> None:
    bench = build(_page(_row(JAN_2, zz=1), _row(JAN_3, zz="two")))
    with structlog.testing.capture_logs() as events:
        batches = [_fetch(bench.source) for _ in range(2)]
    assert [batch.bars.height for batch in batches] == [2, 2]
    ignored = [event for event in events if event["event"] == "field_ignored"]
    assert [(event["endpoint"], event["field"]) for event in ignored] == [("aggregates", "zz")]


def test_missing_field_is_null_for_the_audit(build: Build) -> None:
    row = {key: value for key, value in _row(JAN_2).items() if key != "c"}
    assert _fetch(build(_page(row)).source).bars["close"].to_list() == [None]


@pytest.mark.parametrize(
    ("literal", "value"),
    [("1e308", 1e308), ("1e400", float("inf")), ("-Infinity", float("-inf")), ("1" + "0" * 5000, float("inf"))],
    ids=["1e308", "1e400", "-Infinity", "5001 digits"],
)
def test_numbers_beyond_all_sense_pass_to_the_audit(build: Build, literal: str, value: float) -> None:
    content = json.dumps(json.loads(_page(_row(JAN_2, h=987654321)).content)).replace("987654321", literal)
    answer = httpx.Response(200, content=content, headers={"content-type": "application/json"})
    assert _fetch(build(answer).source).bars["high"].to_list() == [value]


def test_csv_answer_gives_the_bars_of_the_json_answer(build: Build) -> None:
    rows = [_row(JAN_2, vw=10.5, n=7), _row(JAN_3, v=9099.618093, c=None)]
    text = "c,h,l,n,o,t,v,vw\n" + "".join(
        ",".join("" if row.get(key) is None else str(row[key]) for key in ("c", "h", "l", "n", "o", "t", "v", "vw"))
        + "\n"
        for row in rows
    )
    ours, theirs = (_fetch(build(answer).source).bars for answer in (_csv(text), _page(*rows)))
    assert ours.equals(theirs)
    assert ours.height == 2


def test_json_is_what_is_asked_for(build: Build) -> None:
    bench = build(_page(_row(JAN_2)))
    _fetch(bench.source)
    assert bench.exchange.requests[0].headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("c,h,l,n,o,t,v,vw\n1,2,3\n", "no whole CSV"),
        ("", "no whole CSV"),
        ('c,h,l,n,o,t,v,vw\n"1,2', "no whole CSV"),
        ("c,h,l,n,o,t,v,vw\nn/a,2,1,1,1,1704171600000,5,1\n", "not a number"),
        ("c,h,l,n,o,v,vw\n1,2,1,1,1,5,1\n", "whole number of milliseconds"),
    ],
)
def test_csv_that_is_cut_or_retyped_is_a_bad_payload(build: Build, text: str, found: str) -> None:
    with pytest.raises(BadPayload, match=found):
        _fetch(build(_csv(text), retries=1).source)


def test_full_csv_page_is_halved_because_it_names_no_next_one(build: Build) -> None:
    minute = "10.0,11.0,9.0,1,10.0,{},5,10.0\n"
    first = int(datetime(2024, 1, 2, tzinfo=UTC).timestamp() * 1000)
    full = "c,h,l,n,o,t,v,vw\n" + "".join(minute.format(first + place * 60_000) for place in range(50_000))
    bench = build(_csv(full), _page(_row(JAN_2)), _page(_row(JAN_3)))
    batch = bench.source.fetch_bars("AAPL", Timeframe.M1, JAN_2, date(2024, 1, 4))
    assert (batch.bars.height, batch.attempts) == (2, 3)


def test_index_bars_come_without_adjustment_volume_and_vwap(build: Build) -> None:
    row = {key: value for key, value in _row(JAN_2).items() if key != "v"}
    body = {"ticker": "I:NDX", "status": "OK", "request_id": "r", "results": [row]}
    batch = build(httpx.Response(200, json=body)).source.fetch_bars("I:NDX", Timeframe.D1, JAN_2, JAN_3)
    assert batch.bars.select("close", "volume", "vwap").row(0) == (11.0, None, None)
