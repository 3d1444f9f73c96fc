"""What surrounds every answer: request id, headers, problems, metrics, log."""

from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from chandlery.api.app import create_app
from chandlery.api.problems import PROBLEMS
from chandlery.errors import QualityError


def test_request_id_is_taken_over_if_well_formed_and_made_otherwise(stranger: TestClient) -> None:
    assert stranger.get("/livez", headers={"X-Request-Id": "abc-123.XYZ"}).headers["x-request-id"] == "abc-123.XYZ"
    for sent in ("short", "x" * 65, "has space inside", 'quote"quote'):
        made = stranger.get("/livez", headers={"X-Request-Id": sent}).headers["x-request-id"]
        assert (made != sent, len(made)) == (True, 32)


@pytest.mark.parametrize("path", ["/livez", "/nope", "/v1/symbols", "/docs", "/metrics"])
def test_every_answer_has_the_security_headers(stranger: TestClient, path: str) -> None:
    headers = stranger.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "strict-transport-security" not in headers


def test_transport_security_is_asked_for_under_tls(client: TestClient) -> None:
    secure = TestClient(client.app, base_url="https://testserver")
    secure.portal = client.portal
    assert secure.get("/livez").headers["strict-transport-security"].startswith("max-age=")


def test_unknown_path_and_method_are_problems(stranger: TestClient) -> None:
    missing = stranger.get("/v2/candles")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    posted = stranger.post("/v1/symbols", json={})
    assert (posted.status_code, posted.json()["code"], posted.headers["allow"]) == (405, "method_not_allowed", "GET")


def test_problem_names_its_request_and_its_description(stranger: TestClient) -> None:
    answer = stranger.get("/nope", headers={"X-Request-Id": "request-0001"})
    assert answer.json()["instance"] == "request-0001"
    assert stranger.get(answer.json()["type"]).json()["status"] == 404


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_is_described(stranger: TestClient, code: str) -> None:
    body = stranger.get(f"/problems/{code}").json()
    assert (body["code"], body["status"]) == (code, PROBLEMS[code].status)
    assert body["description"]


def test_unknown_problem_is_404(stranger: TestClient) -> None:
    assert stranger.get("/problems/none").status_code == 404


def failing_client(cluster: Any, error: Exception) -> TestClient:
    app = create_app(cluster.settings)

    async def fail() -> None:
        raise error

    app.add_api_route("/fail", fail)
    return TestClient(app)


@pytest.mark.parametrize("error", [RuntimeError("secret place /srv/x"), QualityError("not for callers: secret place")])
def test_unexpected_error_is_an_opaque_500_and_goes_to_the_log(cluster: Any, error: Exception) -> None:
    with structlog.testing.capture_logs() as events, failing_client(cluster, error) as client:
        answer = client.get("/fail", headers={"X-Request-Id": "request-0500"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["instance"] == "request-0500"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [event["event"] for event in events] == ["request_failed", "request_served"]
    assert events[1]["status"] == 500


def test_access_log_names_route_status_time_and_key(client: TestClient) -> None:
    with structlog.testing.capture_logs() as events:
        client.get("/v1/studies/study-0")
    event = events[-1]
    assert (event["event"], event["route"], event["method"]) == ("request_served", "/v1/studies/{study_id}", "GET")
    assert event["status"] == 200
    assert event["ms"] > 0
    assert len(event["key_id"]) == 8


def test_keys_never_reach_the_log(stranger: TestClient, make_key: Any) -> None:
    plain, _ = make_key()
    with structlog.testing.capture_logs() as events:
        stranger.get("/v1/symbols", headers={"Authorization": f"Bearer {plain}"})
        stranger.get("/v1/symbols", headers={"Authorization": f"Bearer {plain}x"})
    assert plain.split("_")[3] not in str(events)


def test_metrics_count_by_route_template_and_show_what_is_published(cluster: Any, make_key: Any) -> None:
    plain, _ = make_key()
    with TestClient(create_app(cluster.settings), headers={"Authorization": f"Bearer {plain}"}) as client:
        for path in ("/v1/studies/study-0", "/v1/studies/study-1", "/v1/studies/none", "/nope/1", "/nope/2"):
            client.get(path)
        client.request("BREW", "/livez")
        lines = client.get("/metrics").text.splitlines()
    assert 'api_requests_total{method="GET",route="/v1/studies/{study_id}",status="200"} 2.0' in lines
    assert 'api_requests_total{method="GET",route="unmatched",status="404"} 2.0' in lines
    assert 'api_requests_total{method="other",route="/livez",status="405"} 1.0' in lines
    assert 'errors_total{code="not_found"} 3.0' in lines
    assert 'api_latency_seconds_count{route="/v1/studies/{study_id}"} 3.0' in lines
    assert 'chandlery_published_timestamp_seconds{dataset="candles"} 1.7044929e+09' in lines
    assert 'chandlery_published_version{dataset="candles"} 3.0' in lines
    assert "chandlery_database_up 1.0" in lines
