"""The stand-in on a real port: our client, the vendor's client, and scripted faults."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from random import Random

import massive
import pytest
from pydantic import SecretStr

from chandlery.errors import BadPayload, ConfigError, NotEntitled, RateLimited, SourceError, Unavailable
from chandlery.market.timeframes import Timeframe
from chandlery.sources import BarBatch, MassiveSource, OpenGate
from chandlery.sources.standin import faults, running, serve
from chandlery.sources.tapes import Tape

START, END = date(2016, 4, 15), date(2016, 4, 30)


@contextmanager
def _source(url: str, *, sleep: Callable[[float], None], timeout_s: float = 5.0) -> Iterator[MassiveSource]:
    source = MassiveSource(
        base_url=url,
        api_key=SecretStr("any"),
        gate=OpenGate(),
        retries=2,
        timeout_s=timeout_s,
        sleep=sleep,
        random=Random(3),
    )
    try:
        yield source
    finally:
        source.close()


def _fetch(source: MassiveSource) -> BarBatch:
    return source.fetch_bars("AAPL", Timeframe.M1, START, END)


def _script(*answers: faults.Fault | None) -> faults.FaultScript:
    return faults.FaultScript({number: fault for number, fault in enumerate(answers, start=1) if fault is not None})


def test_vendors_own_client_gets_the_same_bars_over_several_pages(recorded: Tape) -> None:
    with running(recorded, page_limit=1000) as url, _source(url, sleep=lambda _: None) as source:
        batch = source.fetch_bars("AAPL", Timeframe.M1, START, END)
        client = massive.RESTClient(api_key="any", base=url)
        aggs = list(
            client.list_aggs("AAPL", 1, "minute", "2016-04-15", "2016-04-29", adjusted=False, sort="asc", limit=50000)
        )
        splits = list(client.list_splits(ticker="BA", limit=3))
        ours = source.fetch_splits("BA")
        client.client.clear()
    assert batch.pages == 5
    assert batch.bars.height == len(aggs) == 11 * 390
    assert batch.bars.select("open", "high", "low", "close", "volume").rows() == [
        (agg.open, agg.high, agg.low, agg.close, agg.volume) for agg in aggs
    ]
    assert batch.bars["ts"].dt.epoch("ms").to_list() == [agg.timestamp for agg in aggs]
    assert sorted((split.execution_date, split.split_from, split.split_to) for split in splits) == [
        (split.execution_date.isoformat(), split.split_from, split.split_to) for split in ours
    ]


def test_faults_that_heal_cost_calls_but_no_bars(recorded: Tape) -> None:
    # Three pages a fetch, so each line is one fetch.
    script = _script(
        *(faults.too_many_requests(), None, None, None),
        *(None, faults.too_many_requests(has_body=False), None, None),
        *(faults.server_error(500), None, faults.server_error(502), None, faults.server_error(504), None),
        *(None, faults.truncated(), faults.truncated(keep=0.0), None, None),
    )
    with running(recorded, page_limit=2000, faults=script) as url, _source(url, sleep=lambda _: None) as source:
        batches = [_fetch(source) for _ in range(4)]
    assert [batch.attempts for batch in batches] == [4, 4, 6, 5]
    assert {(batch.bars.height, batch.pages) for batch in batches} == {(11 * 390, 3)}


def test_retry_after_is_waited_for_and_a_slow_answer_given_up(recorded: Tape) -> None:
    slept: list[float] = []
    script = _script(None, faults.too_many_requests(retry_after="21"), None, None, faults.slow(0.5))
    with (
        running(recorded, page_limit=2000, faults=script) as url,
        _source(url, sleep=slept.append, timeout_s=0.25) as source,
    ):
        assert _fetch(source).attempts == 4
        assert slept == [21.0]
        assert _fetch(source).attempts == 4


def test_fault_that_stays_in_mid_run_is_its_own_error(recorded: Tape) -> None:
    # Page one arrives, then the fault: once where a retry cannot help, else for all three tries.
    stories: list[tuple[faults.Fault, int, type[SourceError]]] = [
        (faults.unauthorized(), 1, NotEntitled),
        (faults.forbidden(), 1, NotEntitled),
        (faults.not_authorized_in_body(), 1, NotEntitled),
        (faults.html_page(), 1, BadPayload),
        (faults.truncated(), 3, BadPayload),
        (faults.server_error(), 3, Unavailable),
        (faults.too_many_requests(), 3, RateLimited),
    ]
    script = _script(*(answer for fault, times, _ in stories for answer in (None, *[fault] * times)))
    with running(recorded, page_limit=2000, faults=script) as url, _source(url, sleep=lambda _: None) as source:
        for fault, _, error in stories:
            with pytest.raises(error, match="/v2/aggs/ticker/AAPL"):
                _fetch(source)
            assert error.retryable == (error in (Unavailable, RateLimited)), fault
        assert _fetch(source).bars.height == 11 * 390


@pytest.mark.parametrize("name", ["connection_dropped", "closed_in_mid_body"])
def test_connection_that_breaks_costs_a_call_and_no_bars(recorded: Tape, name: str) -> None:
    script = _script(None, faults.FAULTS[name].make(), None, None)
    with running(recorded, page_limit=2000, faults=script) as url, _source(url, sleep=lambda _: None) as source:
        batch = _fetch(source)
    assert (batch.attempts, batch.pages, batch.bars.height) == (4, 3, 11 * 390)


def test_connection_breaks_on_the_wire_where_the_fault_says(recorded: Tape) -> None:
    dropped, cut = faults.connection_dropped(), faults.closed_in_mid_body()
    request = b"GET /v3/reference/splits?apiKey=k HTTP/1.1\r\nHost: x\r\n\r\n"
    seen = []
    with running(recorded, faults=_script(dropped, cut)) as url:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=5) as wire:
                wire.sendall(request)
                seen.append(b"".join(iter(lambda: wire.recv(65536), b"")))
    head, _, body = seen[1].partition(b"\r\n\r\n")
    announced = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert seen[0] == b""
    assert head.startswith(b"HTTP/1.1 200")
    assert len(body) == announced // 2


def test_stand_in_stops_although_an_answer_is_still_held_back(recorded: Tape) -> None:
    with (
        running(recorded, faults=_script(*[faults.slow(600.0)] * 3)) as url,
        _source(url, sleep=lambda _: None, timeout_s=0.2) as source,
        pytest.raises(Unavailable),
    ):
        source.fetch_splits("BA")


def test_taken_port_is_a_config_error_with_advice(recorded: Tape) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="CHANDLERY_PROVIDER__PORT"):
            serve(recorded, port=port)
        with pytest.raises(ConfigError, match=str(port)), running(recorded, port=port):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "example.org", "192.168.1.4"])  # noqa: S104 - must be refused
def test_host_beyond_loopback_is_refused(recorded: Tape, host: str) -> None:
    with pytest.raises(ConfigError, match="any key"):
        serve(recorded, host=host, port=0)


def test_port_is_free_again_after_running(recorded: Tape) -> None:
    with running(recorded) as url:
        port = int(url.rsplit(":", 1)[1])
    with running(recorded, port=port) as again:
        assert again == url


def test_blocking_server_answers_and_returns_on_interrupt(recorded: Tape) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found: list[int] = []

    def ask_then_interrupt() -> None:
        try:
            with _source(f"http://127.0.0.1:{port}", sleep=lambda _: time.sleep(0.2)) as source:
                found.append(len(source.fetch_splits("EBAY")))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    asker = threading.Timer(0.2, ask_then_interrupt)
    asker.start()
    serve(recorded, port=port)
    asker.join()
    assert found == [4]
