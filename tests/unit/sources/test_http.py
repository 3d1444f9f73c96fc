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
from chandlery.sources import Backoff, BarBatch, MassiveSource, OpenGate
from chandlery.sources.breaker import Breaker
from chandlery.sources.gate import Sent
from chandlery.sources.pacing import pace_of

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
    bench = build(httpx.Response(500), pace=pace_of(2), retries=4)
    with pytest.raises(Unavailable):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 5
    assert bench.time.seconds >= 120.0


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


def test_back_off_of_the_settings_is_the_one_waited_by(build: Build) -> None:
    bench = build(httpx.Response(500), retries=3, backoff=Backoff("fixed", base_s=7.0), random=_Longest())
    with pytest.raises(Unavailable):
        _fetch(bench.source)
    assert bench.time.slept == [7.0, 7.0, 7.0]


class _Longest(Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def test_open_circuit_is_unavailable_without_a_request(build: Build) -> None:
    bench = build(httpx.Response(500), retries=4, breaker=Breaker(failures=5, open_s=60.0))
    with pytest.raises(Unavailable, match="5 times"):
        _fetch(bench.source)
    with pytest.raises(Unavailable, match="nothing was sent"):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 5


def test_circuit_that_opens_among_the_retries_ends_them(build: Build) -> None:
    bench = build(httpx.Response(500), retries=9, breaker=Breaker(failures=3, open_s=600.0))
    with pytest.raises(Unavailable, match="nothing was sent"):
        _fetch(bench.source)
    assert len(bench.exchange.requests) == 3


class _Clerk:
    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def enter(self) -> float:
        return 0.0

    def report(self, sent: Sent) -> None:
        self.sent.append(sent)


def test_every_request_is_reported_with_its_outcome_and_without_query_or_key() -> None:
    answers = iter(
        [
            httpx.Response(500),
            httpx.ReadTimeout("slow"),
            httpx.Response(429, json={"status": "ERROR", "request_id": "r-429"}),
            httpx.Response(200, content=b'{"status":"OK","results":[', headers={"content-type": "application/json"}),
            httpx.Response(200, json={**EMPTY, "request_id": "r-200"}),
            httpx.Response(403, json={"status": "NOT_AUTHORIZED", "request_id": "r-403"}),
        ]
    )

    def answer(_: httpx.Request) -> httpx.Response:
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

    clerk = _Clerk()
    now = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    source = MassiveSource(
        base_url="https://api.massive.com",
        api_key=SecretStr(KEY),
        gate=clerk,
        retries=4,
        timeout_s=1.0,
        confirm_empty=False,
        transport=httpx.MockTransport(answer),
        sleep=lambda _: None,
        now=lambda: now,
    )
    _fetch(source)
    with pytest.raises(NotEntitled):
        _fetch(source)
    assert [(sent.attempt, sent.outcome, sent.status, sent.request_id) for sent in clerk.sent] == [
        (1, "unavailable", 500, None),
        (2, "unavailable", None, None),
        (3, "rate_limited", 429, "r-429"),
        (4, "bad_payload", 200, None),
        (5, "ok", 200, "r-200"),
        (1, "not_entitled", 403, "r-403"),
    ]
    assert {(sent.path, sent.sent_at) for sent in clerk.sent} == {
        ("/v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04", now)
    }
    assert [sent.size for sent in clerk.sent][:4] == [0, 0, 39, 26]


def _plain(answer: Callable[[httpx.Request], httpx.Response]) -> MassiveSource:
    return MassiveSource(
        base_url="https://api.massive.com",
        api_key=SecretStr(KEY),
        gate=OpenGate(),
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
        gate=OpenGate(),
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
    return MassiveSource(base_url=base_url, api_key=SecretStr(key), gate=OpenGate(), retries=0, timeout_s=1.0)


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
        gate=OpenGate(),
        retries=0,
        timeout_s=1.0,
        transport=httpx.MockTransport(answer),
    )
    _fetch(source)
    source.close()
    assert seen[0].startswith("http://localhost:9/mirror/v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04?")
