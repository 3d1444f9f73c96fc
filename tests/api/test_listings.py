"""Symbols, quality, studies and risk reports end to end."""

from typing import Any

import pytest
from starlette.testclient import TestClient


def items(client: TestClient, url: str) -> list[dict[str, Any]]:
    """Return the items of every page."""
    found: list[dict[str, Any]] = []
    following: str | None = url
    while following is not None:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        following = answer.json()["next"]
    return found


@pytest.mark.parametrize(
    ("parameters", "symbols"),
    [
        ("", ["AAPL", "AMZN", "MSFT", "X:BTCUSD"]),
        ("asset_class=crypto", ["X:BTCUSD"]),
        ("q=bit", ["X:BTCUSD"]),
        ("q=aM", ["AMZN"]),
        ("q=%25", []),
        ("q=_", []),
        ("limit=1", ["AAPL", "AMZN", "MSFT", "X:BTCUSD"]),
        ("asset_class=stocks&limit=2", ["AAPL", "AMZN", "MSFT"]),
    ],
)
def test_symbols_are_filtered_and_paged(client: TestClient, parameters: str, symbols: list[str]) -> None:
    assert [item["symbol"] for item in items(client, f"/v1/symbols?{parameters}")] == symbols


def test_symbol_is_found_in_any_case_with_its_coverage(client: TestClient) -> None:
    body = client.get("/v1/symbols/x:btcusd").json()
    assert (body["symbol"], body["bars_1m"], body["mean_score"], body["last_session"]) == (
        "X:BTCUSD",
        10080,
        0.97,
        "2024-01-08",
    )
    assert body["published"]["version"] == 3


def test_symbol_unlike_any_other_is_404_without_matches(client: TestClient) -> None:
    answer = client.get("/v1/symbols/ZQ999")
    assert answer.status_code == 404
    assert "GET /v1/symbols" in answer.json()["detail"]


@pytest.mark.parametrize("limit", [1, 3, 4, 10])
def test_quality_pages_joined_equal_the_whole_read(client: TestClient, limit: int) -> None:
    whole = items(client, "/v1/quality")
    assert [(item["symbol"], item["session"]) for item in whole] == [
        (symbol, f"2024-01-{day:02}") for symbol in ("AAPL", "AMZN") for day in range(2, 7)
    ]
    assert items(client, f"/v1/quality?limit={limit}") == whole


def test_quality_range_is_half_open(client: TestClient) -> None:
    found = items(client, "/v1/quality?symbol=amzn&timeframe=1m&start=2024-01-03&end=2024-01-05")
    assert [(item["session"], item["held_count"]) for item in found] == [("2024-01-03", 1), ("2024-01-04", 2)]
    assert items(client, "/v1/quality?timeframe=1d") == []


def test_quality_has_the_terms_that_exist_and_null_for_the_others(client: TestClient) -> None:
    found = items(client, "/v1/quality?symbol=AAPL")
    assert [item["consistency"] for item in found] == [None, None, 0.85, None, None]
    assert {item["timeliness"] for item in found} == {None}
    # Fields of the first release keep their order; new ones come last.
    assert list(found[0])[-3:] == ["source", "consistency", "timeliness"]


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ("start=2024-01-03&end=2024-01-03", "/query/end"),
        ("start=2024-01-03T00:00Z", "/query/start"),
        ("timeframe=1h", "/query/timeframe"),
        ("limit=10001", "/query/limit"),
    ],
)
def test_wrong_quality_parameter_is_422(client: TestClient, parameters: str, pointer: str) -> None:
    answer = client.get(f"/v1/quality?{parameters}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_quality_of_an_unknown_symbol_is_404_and_of_a_known_one_without_scores_empty(client: TestClient) -> None:
    assert client.get("/v1/quality?symbol=NOPE").status_code == 404
    assert items(client, "/v1/quality?symbol=MSFT") == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_studies_come_newest_first_over_any_pages(client: TestClient, limit: int) -> None:
    found = items(client, f"/v1/studies?limit={limit}")
    assert [item["study_id"] for item in found] == ["study-4", "study-3", "study-2", "study-1", "study-0"]


def test_studies_are_filtered_by_strategy_and_symbol(client: TestClient) -> None:
    found = items(client, "/v1/studies?strategy=rsi_reversal&symbol=aapl")
    assert [item["study_id"] for item in found] == ["study-3", "study-1"]
    assert items(client, "/v1/studies?symbol=MSFT") == []


def test_study_carries_parameters_and_equity_in_time_order(client: TestClient) -> None:
    body = client.get("/v1/studies/study-0").json()
    assert body["best_params"] == {"fast": 12, "slow": 48}
    assert body["metrics"] == {"sharpe": 0.61}
    assert body["equity"] == {
        "ts": ["2022-01-03T14:30:00Z", "2022-01-04T14:30:00Z"],
        "equity": [1.0, 0.998],
        "benchmark": [1.0, 0.978],
    }


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_reports_come_latest_first_over_any_pages(client: TestClient, limit: int) -> None:
    found = items(client, f"/v1/risk/reports?limit={limit}")
    assert [item["report_id"] for item in found] == ["report-2", "report-1", "report-0"]


def test_reports_are_filtered_by_portfolio(client: TestClient) -> None:
    assert [item["report_id"] for item in items(client, "/v1/risk/reports?portfolio=growth")] == ["report-2"]


def test_report_is_json_by_default_and_html_when_asked(client: TestClient) -> None:
    url = "/v1/risk/reports/report-0"
    assert client.get(url).json()["payload"] == {"schema_version": 1, "var": [0.021]}
    for answer in (client.get(url, headers={"Accept": "text/html,*/*"}), client.get(f"{url}?format=html")):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<p>Report</p>" in answer.text
        policy = answer.headers["content-security-policy"]
        assert "style-src 'unsafe-inline'" in policy
        assert "sandbox" in policy
    chosen = client.get(f"{url}?format=json", headers={"Accept": "text/html"})
    assert chosen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("url", ["/v1/studies/none", "/v1/risk/reports/none"])
def test_unknown_id_is_404(client: TestClient, url: str) -> None:
    assert client.get(url).json()["code"] == "not_found"


def test_control_characters_in_a_path_are_422(client: TestClient) -> None:
    answer = client.get("/v1/studies/a%00b")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/path/study_id")


def test_cursor_of_one_listing_does_not_open_another(client: TestClient) -> None:
    cursor = client.get("/v1/studies?limit=1").json()["next"].partition("cursor=")[2]
    answer = client.get(f"/v1/risk/reports?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
