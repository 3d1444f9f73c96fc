"""Every fault as it looks on the wire."""

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chandlery.sources.standin import Answered, ConnectionLostError, Received, ask, create_app
from chandlery.sources.standin.faults import FAULTS, FaultScript, Planned
from chandlery.sources.tapes import Tape

KEY = {"Authorization": "Bearer any"}
MINUTES = "/v2/aggs/ticker/AAPL/range/1/minute/2016-04-15/2016-04-15?adjusted=false"
"""One session, 390 bars: 13 pages of 30."""
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/2010-05-06?adjusted=false"
SPLITS = "/v3/reference/splits?ticker=EBAY"
FILE = "/flatfiles/us_stocks_sip/minute_aggs_v1/2016/04/2016-04-15.csv.gz"

Check = Callable[["Stage"], None]


@dataclass
class Stage:
    """An app that plays one fault on the second of its requests for aggregates, and what it answered without."""

    app: Any
    journal: list[Received]
    waited: list[float] = field(default_factory=list)

    def ask(self, url: str = MINUTES, **options: Any) -> Answered:
        return ask(self.app, url, headers=KEY, **options)

    def body(self, url: str = MINUTES) -> Any:
        return json.loads(self.ask(url).content)


@pytest.fixture
def stage(recorded: Tape, request: pytest.FixtureRequest) -> Stage:
    name, options = request.param if isinstance(request.param, tuple) else (request.param, {})
    planned = Planned(FAULTS[name].make(**options.pop("with", {})), **{"nth": 2, **options})
    staged = Stage(None, [])

    async def sleep(seconds: float) -> None:
        staged.waited.append(seconds)

    staged.app = create_app(
        recorded,
        page_limit=30,
        faults=FaultScript(planned=(planned,)),
        sleep=sleep,
        flat_files=True,
        journal=staged.journal,
    )
    return staged


def plays(name: str, **options: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", [(name, options)], indirect=True, ids=[name])


def _refusal(data: Path, name: str) -> tuple[int, set[str], str]:
    seen = json.loads((data / "polygon" / "errors" / f"{name}.json").read_text(encoding="utf-8"))
    return seen["http_status"], set(seen["body"]), seen["body"]["status"]


def test_registry_holds_every_fault_of_the_design_and_each_promises_something() -> None:
    assert len(FAULTS) >= 22
    assert all(len(kind.promise) > 20 and kind.promise[0].isupper() for kind in FAULTS.values())
    assert all(kind.make().name == name for name, kind in FAULTS.items() if name != "late_split")


def test_every_fault_of_the_registry_is_seen_on_the_wire_here() -> None:
    """A fault that is added needs a test that names it."""
    tested = Path(__file__).read_text(encoding="utf-8")
    revisions = (Path(__file__).parent / "test_standin_revisions.py").read_text(encoding="utf-8")
    assert [name for name in FAULTS if f'"{name}"' not in tested + revisions] == []


@pytest.mark.parametrize(
    ("stage", "recording"),
    [
        ("rate_limited", "429_rate"),
        ("rate_limited_with_retry_after", "429_rate"),
        ("key_revoked", "401_unknown_key"),
        ("forbidden", "403_not_authorized_message"),
        ("forbidden_in_error", "403_error_variant"),
        ("not_authorized_in_body", "200_not_authorized_body"),
    ],
    indirect=["stage"],
)
def test_refusal_has_the_recorded_status_and_fields(stage: Stage, data: Path, recording: str) -> None:
    first, second, third = (stage.ask() for _ in range(3))
    body = json.loads(second.content)
    assert (second.status, set(body), body["status"]) == _refusal(data, recording)
    assert second.headers.get("retry-after") == ("21" if "with_retry_after" in stage.journal[1].fault else None)
    assert (first.status, third.status) == (200, 200)
    assert [received.fault is None for received in stage.journal] == [True, False, True]


@plays("rate_limited_without_body")
def test_rate_limit_may_come_without_a_word(stage: Stage) -> None:
    stage.ask()
    answer = stage.ask()
    assert (answer.status, answer.content, answer.headers["content-length"]) == (429, b"", "0")


@pytest.mark.parametrize(
    ("stage", "status"),
    [("server_error_500", 500), ("server_error_502", 502), ("server_error_504", 504)],
    indirect=["stage"],
)
def test_server_error_is_a_web_page(stage: Stage, status: int) -> None:
    stage.ask()
    answer = stage.ask()
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html")
    assert answer.content.startswith(b"<html>")


@plays("payload_too_large")
def test_too_large_a_window_is_413(stage: Stage) -> None:
    stage.ask()
    assert stage.ask().status == 413


@plays("html_page")
def test_web_page_comes_with_status_200(stage: Stage) -> None:
    stage.ask()
    answer = stage.ask()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")


@plays("connection_dropped")
def test_connection_is_closed_before_the_first_byte(stage: Stage) -> None:
    stage.ask()
    with pytest.raises(ConnectionLostError) as lost:
        stage.ask()
    assert (lost.value.is_begun, lost.value.received) == (False, b"")
    assert stage.journal[1].status is None
    assert stage.ask().status == 200


@plays("closed_in_mid_body")
def test_connection_is_closed_after_half_of_the_announced_body(stage: Stage) -> None:
    whole = stage.ask().content
    with pytest.raises(ConnectionLostError) as lost:
        stage.ask()
    assert lost.value.is_begun
    assert lost.value.received.startswith(b'{"ticker":"AAPL","queryCount":30')
    assert len(lost.value.received) == pytest.approx(len(whole) / 2, abs=2)


@plays("read_timeout", **{"with": {"seconds": 33.0}})
def test_late_answer_waits_on_the_given_clock(stage: Stage) -> None:
    stage.ask()
    assert stage.waited == []
    assert stage.ask().status == 200
    assert stage.waited == [33.0]


@plays("truncated_json")
def test_truncated_answer_is_a_well_formed_shorter_message(stage: Stage) -> None:
    stage.ask()
    answer = stage.ask()
    assert answer.status == 200
    assert answer.headers["content-length"] == str(len(answer.content))
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


@pytest.mark.parametrize(
    ("stage", "recording"),
    [
        ("results_null", "200_empty_aggs_results_null"),
        ("empty_with_null", "200_empty_aggs_results_null"),
        ("empty_with_list", "200_empty_aggs_results_list"),
        ("empty_without_results", "200_empty_aggs_no_results_key"),
    ],
    indirect=["stage"],
)
def test_empty_answer_has_one_of_the_recorded_shapes_and_the_bars_come_back(
    stage: Stage, data: Path, recording: str
) -> None:
    seen = json.loads((data / "polygon" / "errors" / f"{recording}.json").read_text(encoding="utf-8"))["body"]
    right, empty, again = (stage.body() for _ in range(3))
    assert set(seen) <= set(empty)
    assert ("results" in empty) == ("results" in seen)
    assert empty.get("results", "none") == seen.get("results", "none")
    assert (empty["resultsCount"], empty["status"]) == (0, "OK")
    assert "next_url" not in empty
    assert again["results"] == right["results"]


@plays("duplicate_page")
def test_page_comes_a_second_time_in_the_place_of_the_next(stage: Stage) -> None:
    first = stage.body()
    second = stage.body(first["next_url"])
    assert second["results"] == first["results"]
    assert second["next_url"] != first["next_url"]
    third = stage.body(second["next_url"])
    assert third["results"][0]["t"] == first["results"][-1]["t"] + 31 * 60_000


@plays("page_out_of_order")
def test_rows_of_a_page_come_backwards(stage: Stage) -> None:
    right, wrong = stage.body(), stage.body()
    assert wrong["results"] == right["results"][::-1]


@pytest.mark.parametrize(
    ("stage", "difference"),
    [(("duplicate_row", {}), 0.0), (("duplicate_row", {"with": {"differs": True}}), 0.01)],
    indirect=["stage"],
)
def test_row_comes_twice_equal_or_with_another_close(stage: Stage, difference: float) -> None:
    right, wrong = stage.body()["results"], stage.body()["results"]
    assert [row["t"] for row in wrong] == [*(row["t"] for row in right[:16]), *(row["t"] for row in right[15:])]
    assert wrong[16]["c"] - wrong[15]["c"] == pytest.approx(difference)


@plays("bar_outside_the_range")
def test_row_before_the_range_comes_first(stage: Stage) -> None:
    right, wrong = stage.body()["results"], stage.body()["results"]
    assert wrong[1:] == right
    # 2016-04-15 00:00 in New York is 04:00 UTC.
    assert wrong[0]["t"] < datetime(2016, 4, 15, 4, tzinfo=UTC).timestamp() * 1000


@plays("bar_outside_the_range")
def test_row_before_the_range_lies_before_its_first_page_too(stage: Stage) -> None:
    first = stage.body()
    second = stage.body(first["next_url"])
    assert second["results"][0]["t"] < first["results"][0]["t"] - 86_400_000


@plays("other_ticker_echoed")
def test_answer_speaks_of_another_ticker(stage: Stage) -> None:
    right, wrong = stage.body(), stage.body()
    assert (right["ticker"], wrong["ticker"]) == ("AAPL", "ZZZZ")


@plays("other_ticker_echoed", path="/v3/reference/*", nth=1)
def test_reference_row_speaks_of_another_ticker(stage: Stage) -> None:
    assert [row["ticker"] for row in stage.body(SPLITS)["results"]] == ["ZZZZ", "EBAY", "EBAY", "EBAY"]


@plays("garbage_row")
def test_last_row_holds_words_for_numbers(stage: Stage) -> None:
    right, wrong = stage.body()["results"], stage.body()["results"]
    assert wrong[:-1] == right
    assert (wrong[-1]["t"], wrong[-1]["c"]) == ("never", "n/a")


@plays("garbage_ticker", path="/v2/aggs/grouped/*", nth=1)
def test_market_day_holds_a_ticker_that_is_none(stage: Stage) -> None:
    rows = stage.body(GROUPED)["results"]
    assert (rows[0]["T"], rows[0]["c"]) == ("ZZ ?!", 1e11)
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("stage", "word", "value"),
    [
        ("nan_value", b"NaN", math.nan),
        ("infinite_value", b"Infinity", math.inf),
        ("huge_value", b"1e+308", 1e308),
    ],
    indirect=["stage"],
)
def test_one_close_is_no_sensible_number(stage: Stage, word: bytes, value: float) -> None:
    right = stage.body()["results"]
    content = stage.ask().content
    wrong = json.loads(content)["results"]
    assert content.count(word) == 1
    assert wrong[15]["c"] == pytest.approx(value, nan_ok=True)
    assert [row["c"] for row in wrong[:15] + wrong[16:]] == [row["c"] for row in right[:15] + right[16:]]


@plays("field_added")
def test_unknown_field_stands_in_every_row_and_beside_them(stage: Stage) -> None:
    right, wrong = stage.body(), stage.body()
    assert set(wrong) - set(right) == {"zz"}
    assert {frozenset(row) for row in wrong["results"]} == {frozenset(right["results"][0]) | {"zz"}}


@plays("field_missing")
def test_required_field_is_gone_from_every_row(stage: Stage) -> None:
    right, wrong = stage.body()["results"], stage.body()["results"]
    assert {frozenset(row) for row in wrong} == {frozenset(right[0]) - {"c"}}


@plays("field_retyped")
def test_number_is_a_text_in_every_row(stage: Stage) -> None:
    right, wrong = stage.body()["results"], stage.body()["results"]
    assert [row["c"] for row in wrong] == [str(row["c"]) for row in right]


@plays("adjusted_unasked")
def test_answer_says_adjusted_although_it_was_not_asked_for(stage: Stage) -> None:
    right, wrong = stage.body(), stage.body()
    assert (right["adjusted"], wrong["adjusted"]) == (False, True)


@plays("next_url_on_a_foreign_host")
def test_next_page_is_said_to_be_elsewhere(stage: Stage) -> None:
    right, wrong = stage.body()["next_url"], stage.body()["next_url"]
    assert right.startswith("http://stand-in/")
    assert wrong == right.replace("http://stand-in", "https://collector.example")


@plays("next_url_loop", times=0)
def test_next_page_is_said_to_be_the_page_itself(stage: Stage) -> None:
    stage.ask()
    wrong = stage.body()
    assert wrong["next_url"] == f"http://stand-in{MINUTES}"
    assert stage.body(wrong["next_url"])["next_url"] == wrong["next_url"]


@plays("duplicate_page", nth=1)
def test_fault_without_a_hold_leaves_the_right_answer_and_the_journal_clean(stage: Stage) -> None:
    assert len(stage.body()["results"]) == 30
    assert [received.fault for received in stage.journal] == [None]


@plays("closed_in_mid_body", path="/flatfiles/*", nth=1)
def test_flat_files_break_off_like_any_answer(stage: Stage) -> None:
    with pytest.raises(ConnectionLostError):
        stage.ask(FILE)
    whole = stage.ask(FILE).content
    assert len(whole) > 1000


@plays("server_error_500", path="/flatfiles/*", nth=1, times=2)
def test_head_of_a_flat_file_fails_and_heals(stage: Stage) -> None:
    statuses = [stage.ask(FILE, method="HEAD").status for _ in range(3)]
    assert statuses == [500, 500, 200]
    right = stage.ask(FILE, method="HEAD")
    assert int(right.headers["content-length"]) == len(stage.ask(FILE).content)


def test_waiting_ends_when_the_client_leaves(recorded: Tape) -> None:
    """Over a real connection this is uvicorn's `http.disconnect`; here the app is told at once."""
    import asyncio

    async def never(_seconds: float) -> None:
        await asyncio.Event().wait()

    script = FaultScript(planned=(Planned(FAULTS["read_timeout"].make()),))
    app, sent = create_app(recorded, faults=script, sleep=never), list[object]()

    async def leaving() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def keep(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/", "query_string": b"", "headers": []}
    served: Awaitable[None] = app(scope, leaving, keep)  # type: ignore[arg-type]
    asyncio.run(asyncio.wait_for(served, timeout=5))  # type: ignore[arg-type]
    assert sent == []
