"""Transport, retries and refusals, seen through `MassiveSource.fetch_bars`."""

import logging
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from chandlery.errors import BadPayload, ConfigError, NotEntitled, RateLimited, SourceError, Unavailable
from chandlery.market.timeframes import Timeframe
from chandlery.sources import BarBatch, MassiveSource

Build = Callable[..., Any]
Load = Callable[[str], httpx.Response]

KEY = "canary-4f1c9e"
EMPTY = {"ticker": "AAPL", "status": "OK", "adjusted": False, "request_id": "r", "queryCount": 0, "resultsCount": 0}
OK = httpx.Response(200, json=EMPTY)


def _fetch(source: MassiveSource) -> BarBatch:
    return source.fetch_bars("AAPL", Timeframe.D1, date(2005, 4, 1), date(2005, 4, 5))


@pytest.mark.parametrize(
    ("name", "error", "advice"),
    [
        ("401_no_key", NotEntitled, "POLYGON_API_KEY"),
        ("401_unknown_key", NotEntitled, "POLYGON_API_KEY"),
        ("403_error_variant", NotEntitled, "plan"),
        ("403_not_authorized_message", NotEntitled, "plan"),
        ("403_timeframe", NotEntitled, "future date"),
        ("200_not_authorized_body", NotEntitled, "plan"),
    ],
)
def test_recorded_refusal_is_not_entitled_and_asked_once(
    build: Build, recorded_error: Load, name: str, error: type[SourceError], advice: str
) -> None:
    bench = build(recorded_error(name))
    with pytest.raises(error, match=advice):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 1


def test_refused_key_and_refused_plan_give_different_advice(build: Build, recorded_error: Load) -> None:
    texts = []
    for name in ("401_unknown_key", "403_error_variant"):
        with pytest.raises(NotEntitled) as caught:
            _fetch(build(recorded_error(name)).source)
        texts.append(str(caught.value).split("'. ")[1])
    assert texts[0] != texts[1]


@pytest.mark.parametrize(
    "name",
    [
        "200_delayed_status",
        "200_empty_aggs_no_results_key",
        "200_empty_aggs_results_list",
        "200_empty_aggs_results_null",
    ],
)
def test_recorded_empty_answer_is_an_empty_frame(build: Build, recorded_error: Load, name: str) -> None:
    batch = _fetch(build(recorded_error(name)).source)
    assert batch.bars.is_empty()
    assert (batch.pages, batch.attempts, batch.dropped) == (1, 1, 0)


def test_rate_limit_without_end_is_rate_limited_after_all_retries(build: Build, recorded_error: Load) -> None:
    bench = build(recorded_error("429_rate"), retries=3)
    with pytest.raises(RateLimited, match=r"4 times.*CALLS_PER_MINUTE"):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 4


def test_rate_limit_without_body_heals_when_the_next_answer_is_good(build: Build) -> None:
    batch = _fetch(build(httpx.Response(429), OK).source)
    assert batch.attempts == 2


def test_retry_after_in_seconds_is_waited_for(build: Build) -> None:
    bench = build(httpx.Response(429, headers={"Retry-After": "17"}), OK)
    _fetch(bench.source)
    assert bench.time.slept == [17.0]


def test_retry_after_as_date_is_waited_for(build: Build) -> None:
    refusal = httpx.Response(503, headers={"Retry-After": "Mon, 02 Mar 2026 14:30:45 GMT"})
    bench = build(refusal, OK, now=lambda: datetime(2026, 3, 2, 14, 30, tzinfo=UTC))
    _fetch(bench.source)
    assert bench.time.slept == [45.0]


def test_retry_after_of_an_hour_is_reported_at_once(build: Build) -> None:
    bench = build(httpx.Response(429, headers={"Retry-After": "3600"}), OK)
    with pytest.raises(RateLimited, match="come back in 3600 s"):
        _fetch(bench.source)
    assert bench.time.slept == []


def test_retries_draw_from_the_pace_like_first_calls(build: Build) -> None:
    bench = build(httpx.Response(500), calls_per_minute=5.0, burst=1, retries=4)
    with pytest.raises(Unavailable):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 5
    assert bench.time.seconds >= 48.0


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(500),
        httpx.Response(502, html="<html>bad gateway</html>"),
        httpx.Response(504),
        httpx.Response(408),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
    ids=lambda failure: getattr(failure, "status_code", type(failure).__name__),
)
def test_outage_is_unavailable_after_the_retries_and_heals_within_them(
    build: Build, failure: httpx.Response | Exception
) -> None:
    bench = build(failure, retries=2)
    with pytest.raises(Unavailable, match="3 times"):
        _fetch(bench.source)
    assert _fetch(build(failure, OK).source).attempts == 2


@pytest.mark.parametrize(
    "content", [b'{"status":"OK","results":[{"t":1', b"", b"[" * 100_000], ids=["cut", "empty", "deep"]
)
def test_truncated_body_is_retried_and_then_a_bad_payload(build: Build, content: bytes) -> None:
    cut = httpx.Response(200, content=content, headers={"content-type": "application/json"})
    bench = build(cut, retries=2)
    with pytest.raises(BadPayload, match="3 times"):
        _fetch(bench.source)
    assert _fetch(build(cut, OK).source).attempts == 2


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (httpx.Response(200, html="<html>log in</html>"), "text/html"),
        (httpx.Response(200, content=b'{"status":"OK"}'), "content type ''"),
        (httpx.Response(200, json=[1, 2]), "list"),
        (httpx.Response(200, json={"results": []}), "status None"),
        (httpx.Response(200, json={"status": "ERROR", "error": "odd"}), "'odd'"),
        (httpx.Response(400, json={"status": "ERROR", "error": "bad from"}), "bad from"),
        (httpx.Response(404, html="<html>no such page</html>"), "BASE_URL"),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), "BASE_URL"),
    ],
)
def test_undocumented_answer_is_a_bad_payload_and_asked_once(build: Build, answer: httpx.Response, found: str) -> None:
    bench = build(answer)
    with pytest.raises(BadPayload, match=found):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 1


def test_body_that_cannot_be_unpacked_is_a_bad_payload() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers={"content-encoding": "gzip"})

    with pytest.raises(BadPayload, match="unpacked"):
        _fetch(_plain(answer))


def _plain(answer: Callable[[httpx.Request], httpx.Response]) -> MassiveSource:
    return MassiveSource(
        base_url="https://api.massive.com",
        api_key=SecretStr(KEY),
        calls_per_minute=6000.0,
        burst=10,
        retries=1,
        timeout_s=1.0,
        transport=httpx.MockTransport(answer),
        sleep=lambda _: None,
        random=Random(1),
    )


def test_closed_port_is_unavailable_and_names_the_stand_in() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source = MassiveSource(
        base_url=f"http://127.0.0.1:{port}",
        api_key=SecretStr(KEY),
        calls_per_minute=6000.0,
        burst=10,
        retries=1,
        timeout_s=1.0,
        sleep=lambda _: None,
    )
    with pytest.raises(Unavailable, match="chandlery provider"):
        _fetch(source)
    source.close()


def test_key_travels_in_the_header_only(build: Build) -> None:
    bench = build(OK)
    _fetch(bench.source)
    request = bench.exchange.requests[0]
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(request.url)


def test_key_appears_in_no_error_and_no_log_even_if_the_answer_repeats_it(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        httpx.Response(429, json={"error": f"slow down {KEY}"}),
        httpx.ConnectError(f"proxy refused Bearer {KEY}"),
        httpx.Response(401, json={"status": "ERROR", "error": f"Unknown API Key {KEY}"}),
    ]
    bench = build(*answers)
    with (
        caplog.at_level(logging.DEBUG),
        structlog.testing.capture_logs() as events,
        pytest.raises(NotEntitled) as caught,
    ):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 3
    assert KEY not in str(caught.value)
    assert [event["event"] for event in events].count("request_retried") == 2
    assert KEY not in repr(events)
    assert KEY not in caplog.text
    assert KEY not in repr(vars(bench.source._client))


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "ключ"])
def test_impossible_key_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _keyed(key)
    assert not key.strip() or key not in str(caught.value)


def _keyed(key: str, base_url: str = "https://api.massive.com") -> MassiveSource:
    return MassiveSource(
        base_url=base_url, api_key=SecretStr(key), calls_per_minute=5.0, burst=1, retries=0, timeout_s=1.0
    )


@pytest.mark.parametrize("base_url", ["api.massive.com", "ftp://host", "https://", "http://u:p@host", "http://h:x"])
def test_malformed_base_url_is_a_config_error(base_url: str) -> None:
    with pytest.raises(ConfigError, match="base URL"):
        _keyed("k", base_url)


def test_base_url_with_a_path_keeps_it_before_every_request() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json=EMPTY)

    source = MassiveSource(
        base_url="http://localhost:9/mirror/",
        api_key=SecretStr("k\n"),
        calls_per_minute=6000.0,
        burst=10,
        retries=0,
        timeout_s=1.0,
        transport=httpx.MockTransport(answer),
    )
    _fetch(source)
    source.close()
    assert seen[0].startswith("http://localhost:9/mirror/v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04?")
