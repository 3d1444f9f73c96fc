"""Candles end to end: values, filters, paging, formats, caching."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

URL = "/v1/candles?symbol=AAPL&timeframe=1h"


def pages(client: TestClient, url: str) -> list[dict[str, Any]]:
    found = []
    following: str | None = url
    while following is not None:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        following = answer.json()["next"]
    return found


def hours(answer: dict[str, Any]) -> list[str]:
    return list(answer["columns"]["ts"])


def expected_hours(*places: int) -> list[str]:
    first = datetime(2024, 1, 2, 14, 30, tzinfo=UTC).timestamp()
    return [datetime.fromtimestamp(first + 3600 * place, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for place in places]


def test_columns_hold_what_was_stored_with_null_for_what_is_absent(client: TestClient) -> None:
    answer = client.get(f"{URL}&limit=5").json()
    assert answer["columns"] == {
        "ts": expected_hours(0, 1, 2, 3, 4),
        "session": ["2024-01-02"] * 5,
        "open": [100.0, 101.0, 102.0, 103.0, 104.0],
        "high": [101.0, 102.0, 103.0, 104.0, 105.0],
        "low": [99.0, 100.0, 101.0, 102.0, 103.0],
        "close": [100.5, 101.5, 102.5, 103.5, 104.5],
        "volume": [0.0, 1000.0, 2000.0, 3000.0, 4000.0],
        "vwap": [None, 101.25, 102.25, None, 104.25],
        "trade_count": [None, 11, 12, 13, None],
        "bar_count": [60, 59, 60, 59, 60],
        "expected_count": [60] * 5,
        "is_final": [True] * 5,
        "quality_score": [None, 0.99, 0.98, 0.97, 0.96],
        "source": ["simulated"] * 5,
    }


def test_answer_names_series_version_and_source(client: TestClient) -> None:
    answer = client.get("/v1/candles?symbol=aapl&timeframe=1h")
    body = answer.json()
    assert (body["symbol"], body["timeframe"], body["basis"]) == ("AAPL", "1h", "minutes")
    assert body["published"]["version"] == 3
    assert (body["sources"], body["is_simulated"], body["count"]) == (["massive", "simulated"], True, 30)
    assert answer.headers["chandlery-version"] == "3"
    assert answer.headers["chandlery-rows"] == "30"


def test_a_page_without_simulated_rows_does_not_claim_any(client: TestClient) -> None:
    body = client.get(f"{URL}&order=desc&limit=10").json()
    assert (body["sources"], body["is_simulated"]) == (["massive"], False)


def test_bases_are_never_mixed(client: TestClient) -> None:
    daily = "/v1/candles?symbol=AAPL&timeframe=1d"
    assert client.get(daily).json()["columns"]["open"] == [1.0]
    assert client.get(f"{daily}&basis=day").json()["columns"]["open"] == [3.0]


@pytest.mark.parametrize(
    ("start", "end", "places"),
    [
        ("2024-01-02", "2024-01-03", range(10)),
        ("2024-01-02T15:30Z", "2024-01-02T17:30Z", [1, 2]),
        ("2024-01-02T10:30:00-05:00", "2024-01-02T17:30:00.000001Z", [1, 2, 3]),
        ("2024-01-02T16:30:00+01:00", "2024-01-02T16:30:00Z", [1]),
        ("0001-01-01", "9999-12-31", range(30)),
        ("2030-01-01", "2031-01-01", []),
    ],
)
def test_range_is_half_open(client: TestClient, start: str, end: str, places: list[int]) -> None:
    # A plus that is not escaped arrives as a space and still means plus.
    assert hours(client.get(f"{URL}&start={start}&end={end}").json()) == expected_hours(*places)


def test_min_quality_leaves_out_lower_and_unscored_candles(client: TestClient) -> None:
    scores = client.get(f"{URL}&min_quality=0.95").json()["columns"]["quality_score"]
    assert scores == [0.99, 0.98, 0.97, 0.96]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 31), order=st.sampled_from(["asc", "desc"]), quality=st.sampled_from(["", "&min_quality=0.8"])
)
def test_pages_joined_equal_the_whole_read(client: TestClient, limit: int, order: str, quality: str) -> None:
    url = f"{URL}&order={order}{quality}"
    whole = client.get(url).json()["columns"]
    joined = pages(client, f"{url}&limit={limit}")
    for name, column in whole.items():
        assert [value for page in joined for value in page["columns"][name]] == column
    assert whole["ts"] == sorted(whole["ts"], reverse=order == "desc")


def test_csv_and_objects_equal_columns(client: TestClient) -> None:
    columns = client.get(URL).json()["columns"]
    objects = client.get(f"{URL}&layout=objects").json()["candles"]
    assert objects == [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    answer = client.get(f"{URL}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [list(row) for row in rows[:1]] == [list(columns)]
    assert [{name: read_back(name, value) for name, value in row.items()} for row in rows] == objects


def read_back(name: str, value: str) -> object:
    if value == "":
        return None
    if name in {"ts", "session", "source"}:
        return value
    if name == "is_final":
        return {"true": True, "false": False}[value]
    return int(value) if name.endswith("_count") else float(value)


def test_csv_pages_by_link_header(client: TestClient) -> None:
    first = client.get(f"{URL}&format=csv&limit=29")
    target = first.headers["link"].removeprefix("<").partition(">")[0]
    last = client.get(target)
    assert last.headers["content-type"].startswith("text/csv")
    assert (len(last.text.splitlines()), "link" in last.headers) == (2, False)


def test_large_page_is_the_same_from_the_encoding_thread(client: TestClient, cluster: Any) -> None:
    cluster.run(
        "insert into serving.candles_v1 select 'MSFT', '5m', 'minutes', '2024-01-01'::timestamptz"
        "+ i * interval '5 min', '2024-01-01', 3, 'stocks', i, i, i, i, i, i, i, 5, 5, true, 1, 'wiki' "
        "from generate_series(0, 5999) as i"
    )
    body = client.get("/v1/candles?symbol=MSFT&timeframe=5m&limit=50000").json()
    assert body["columns"]["open"] == [float(i) for i in range(6000)]
    assert body["columns"]["trade_count"] == list(range(6000))


def test_known_symbol_without_candles_is_an_empty_page(client: TestClient) -> None:
    body = client.get("/v1/candles?symbol=MSFT&timeframe=4h").json()
    assert (body["count"], body["next"], body["sources"], body["columns"]["ts"]) == (0, None, [], [])


def test_unknown_symbol_is_404_with_near_matches(client: TestClient) -> None:
    answer = client.get("/v1/candles?symbol=AAPLE&timeframe=1h")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "AAPL" in answer.json()["detail"].partition("Near matches")[2]


@pytest.mark.parametrize(
    ("parameters", "pointer", "words"),
    [
        ("timeframe=1h", "/query/symbol", "required"),
        ("symbol=AAPL", "/query/timeframe", "required"),
        ("symbol=AAPL&timeframe=7h", "/query/timeframe", "'5m'"),
        ("symbol=AA PL&timeframe=1h", "/query/symbol", "A-Z"),
        ("symbol=A'--&timeframe=1h", "/query/symbol", "A-Z"),
        ("symbol=AAPL&timeframe=1h&start=2024-01-02&end=2024-01-02", "/query/end", "not after start"),
        ("symbol=AAPL&timeframe=1h&start=2024-01-02T14:30", "/query/start", "zone"),
        ("symbol=AAPL&timeframe=1h&start=1704205800", "/query/start", "zone"),
        ("symbol=AAPL&timeframe=1h&start=2024-02-30", "/query/start", "day"),
        ("symbol=AAPL&timeframe=1h&end=0001-01-01T00:00%2B10:00", "/query/end", "years"),
        ("symbol=AAPL&timeframe=1h&basis=day", "/query/basis", "1d only"),
        ("symbol=AAPL&timeframe=1h&min_quality=1.5", "/query/min_quality", "less than or equal"),
        ("symbol=AAPL&timeframe=1h&min_quality=nan", "/query/min_quality", ""),
        ("symbol=AAPL&timeframe=1h&limit=50001", "/query/limit", "50000"),
        ("symbol=AAPL&timeframe=1h&limit=0", "/query/limit", "greater"),
        ("symbol=AAPL&timeframe=1h&order=up", "/query/order", "'asc'"),
        ("symbol=AAPL&timeframe=1h&form=csv", "/query/form", "not permitted"),
    ],
)
def test_wrong_parameter_is_named_by_its_pointer(client: TestClient, parameters: str, pointer: str, words: str) -> None:
    answer = client.get(f"/v1/candles?{parameters}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert words in answer.json()["errors"][0]["detail"]


def test_changed_or_borrowed_cursor_is_refused(client: TestClient) -> None:
    following = client.get(f"{URL}&limit=3").json()["next"]
    changed = following[:-1] + ("A" if following[-1] != "A" else "B")
    borrowed = following.replace("symbol=AAPL", "symbol=AMZN")
    reversed_order = following + "&order=desc"
    for url in (changed, borrowed, reversed_order, f"{URL}&cursor=x", f"{URL}&cursor=%F0%9F%98%80"):
        answer = client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), url


def test_cursor_survives_a_change_of_limit_and_layout(client: TestClient) -> None:
    following = client.get(f"{URL}&limit=3").json()["next"].replace("limit=3", "limit=2")
    candles = client.get(f"{following}&layout=objects").json()["candles"]
    assert [candle["ts"] for candle in candles] == expected_hours(3, 4)


def test_next_holds_no_credentials(client: TestClient) -> None:
    assert "cdl_live" not in client.get(f"{URL}&limit=1").text


def test_same_question_of_the_same_version_is_304(client: TestClient) -> None:
    first = client.get(URL)
    again = client.get(URL, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.get(f"{URL}&limit=7").headers["etag"] != first.headers["etag"]
    assert client.get(f"{URL}&format=csv").headers["etag"] != first.headers["etag"]


def test_new_version_ends_the_304(client: TestClient, cluster: Any) -> None:
    etag = client.get(URL).headers["etag"]
    cluster.run("update ops.publication set version = 4 where dataset = 'candles'")
    try:
        answer = client.get(URL, headers={"If-None-Match": etag})
        assert (answer.status_code, answer.json()["published"]["version"]) == (200, 4)
    finally:
        cluster.run("update ops.publication set version = 3 where dataset = 'candles'")
    assert client.get(URL, headers={"If-None-Match": etag}).status_code == 304
