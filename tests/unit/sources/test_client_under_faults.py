"""Our client before every fault of the stand-in: each ends in the outcome its registry promises."""

from datetime import date
from pathlib import Path
from random import Random

import httpx
import pytest
from pydantic import SecretStr

from chandlery.errors import BadPayload, NotEntitled, RateLimited, SourceError, Unavailable
from chandlery.market.timeframes import Timeframe
from chandlery.sources import BarBatch, MassiveSource, OpenGate
from chandlery.sources.standin import ConnectionLostError, ask, create_app
from chandlery.sources.standin.faults import FAULTS, FaultScript
from chandlery.sources.tapes import Tape

START, END = date(2016, 4, 18), date(2016, 4, 23)
"""Five sessions of AAPL, 1,950 minutes: two pages."""
PAGE = 1000

HEALS = (
    *("rate_limited", "rate_limited_without_body", "rate_limited_with_retry_after", "results_null", "truncated_json"),
    *("server_error_500", "server_error_502", "server_error_504", "connection_dropped"),
    *("closed_in_mid_body", "empty_without_results", "empty_with_null", "empty_with_list"),
)
REFUSED = {
    **dict.fromkeys(("duplicate_page", "other_ticker_echoed", "garbage_row", "field_retyped"), BadPayload),
    **dict.fromkeys(("adjusted_unasked", "next_url_loop", "html_page"), BadPayload),
    **dict.fromkeys(("key_revoked", "forbidden", "forbidden_in_error", "not_authorized_in_body"), NotEntitled),
}
HARMLESS = ("page_out_of_order", "duplicate_row", "bar_outside_the_range", "field_added", "next_url_on_a_foreign_host")
JUDGED_LATER = (
    "nan_value",
    "infinite_value",
    "huge_value",
    "field_missing",
    "bar_revised",
    "bar_withdrawn",
    "late_trade",
)
"""Taken as sent: the audit and the store judge them."""
ELSEWHERE = (
    "read_timeout",
    "garbage_ticker",
    "duplicate_split",
    "late_split",
    "flat_file_replaced",
    "payload_too_large",
)
"""Of other endpoints, or tested on their own (`test_http`, `test_market_day`, `test_flatfiles`, ...)."""
WITHOUT_END: dict[str, type[SourceError]] = {
    **dict.fromkeys(("rate_limited", "rate_limited_without_body", "rate_limited_with_retry_after"), RateLimited),
    **dict.fromkeys(("server_error_500", "server_error_502", "server_error_504"), Unavailable),
    **dict.fromkeys(("connection_dropped", "closed_in_mid_body"), Unavailable),
    "truncated_json": BadPayload,
}


@pytest.fixture(scope="module")
def tape() -> Tape:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes"
    if not folder.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def right(tape: Tape) -> BarBatch:
    return _fetch(tape, FaultScript())


def _source(tape: Tape, script: FaultScript) -> MassiveSource:
    app = create_app(tape, page_limit=PAGE, faults=script)

    def answer(request: httpx.Request) -> httpx.Response:
        try:
            answered = ask(app, request.url.raw_path.decode("ascii"), headers=dict(request.headers))
        except ConnectionLostError as error:
            if error.is_begun:
                raise httpx.RemoteProtocolError("peer closed connection in mid body") from error
            raise httpx.ConnectError("connection dropped") from error
        return httpx.Response(answered.status, headers=dict(answered.headers), content=answered.content)

    return MassiveSource(
        base_url="https://api.massive.com",
        api_key=SecretStr("any"),
        gate=OpenGate(),
        retries=2,
        timeout_s=5.0,
        transport=httpx.MockTransport(answer),
        sleep=lambda _: None,
        random=Random(1),
    )


def _fetch(tape: Tape, script: FaultScript) -> BarBatch:
    source = _source(tape, script)
    try:
        return source.fetch_bars("AAPL", Timeframe.M1, START, END)
    finally:
        source.close()


def _scripted(name: str, *numbers: int) -> FaultScript:
    return FaultScript({number: FAULTS[name].make() for number in numbers})


def test_every_fault_of_the_registry_has_its_place_here() -> None:
    assert set(FAULTS) == {*HEALS, *REFUSED, *HARMLESS, *JUDGED_LATER, *ELSEWHERE}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("name", HEALS)
def test_fault_that_passes_costs_one_more_request_and_no_bar(
    tape: Tape, right: BarBatch, name: str, number: int
) -> None:
    batch = _fetch(tape, _scripted(name, number))
    assert batch.bars.equals(right.bars)
    assert (right.bars.height, right.attempts) == (1950, 2)
    assert batch.attempts == 3


@pytest.mark.parametrize("name", WITHOUT_END)
def test_fault_that_stays_ends_in_its_own_error_after_the_retries(tape: Tape, name: str) -> None:
    with pytest.raises(WITHOUT_END[name], match="3 times"):
        _fetch(tape, _scripted(name, 2, 3, 4))


@pytest.mark.parametrize("name", REFUSED)
def test_fault_of_the_payload_or_the_plan_is_refused_at_once(tape: Tape, name: str) -> None:
    with pytest.raises(REFUSED[name]):
        _fetch(tape, _scripted(name, 2 if name == "duplicate_page" else 1))


@pytest.mark.parametrize("name", HARMLESS)
def test_fault_that_can_be_seen_through_changes_no_bar(tape: Tape, right: BarBatch, name: str) -> None:
    batch = _fetch(tape, _scripted(name, 1))
    assert batch.bars.equals(right.bars)
    assert batch.dropped == (1 if name == "bar_outside_the_range" else 0)


@pytest.mark.parametrize("name", ["nan_value", "infinite_value", "huge_value", "field_missing"])
def test_fault_of_a_value_passes_to_the_audit(tape: Tape, right: BarBatch, name: str) -> None:
    batch = _fetch(tape, _scripted(name, 1))
    assert batch.bars.height == right.bars.height
    assert not batch.bars.equals(right.bars)
