"""The contract: golden file, examples, every answer against its schema."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from chandlery.api.app import create_app
from chandlery.api.openapi import GOLDEN, golden_text, write_golden
from chandlery.settings import Settings

DOCUMENT: dict[str, Any] = create_app(Settings(_env_file=None)).openapi()
OPERATIONS = [(path, operation) for path, methods in DOCUMENT["paths"].items() for operation in methods.values()]
ANSWERS = [
    ("/livez", "/livez"),
    ("/readyz", "/readyz"),
    ("/problems/{code}", "/problems/deadline"),
    ("/v1/symbols", "/v1/symbols?limit=2"),
    ("/v1/symbols/{symbol}", "/v1/symbols/MSFT"),
    ("/v1/candles", "/v1/candles?symbol=AAPL&timeframe=1h&limit=7"),
    ("/v1/candles", "/v1/candles?symbol=AAPL&timeframe=1h&layout=objects"),
    ("/v1/candles", "/v1/candles?symbol=MSFT&timeframe=1w"),
    ("/v1/quality", "/v1/quality?limit=3"),
    ("/v1/studies", "/v1/studies?limit=1"),
    ("/v1/studies/{study_id}", "/v1/studies/study-0"),
    ("/v1/risk/reports", "/v1/risk/reports"),
    ("/v1/risk/reports/{report_id}", "/v1/risk/reports/report-0"),
]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def test_golden_file_equals_this_code() -> None:
    found = GOLDEN.read_bytes() if GOLDEN.exists() else b""
    assert found == golden_text(DOCUMENT), "The contract changed. Rewrite it: python -m chandlery.api.openapi"


def test_the_command_writes_the_golden_text(tmp_path: Any) -> None:
    write_golden(tmp_path / "docs" / "openapi.json")
    assert (tmp_path / "docs" / "openapi.json").read_bytes() == golden_text(DOCUMENT)


def test_document_is_openapi_3_1_with_our_problem_and_not_the_frameworks() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert "Problem" in DOCUMENT["components"]["schemas"]
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_operation_has_summary_description_and_an_example_that_fits(path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    if path == "/metrics":
        return
    content = operation["responses"]["200"]["content"]["application/json"]
    validator(content["schema"]).validate(content["example"])


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_paths_below_v1_need_a_key_and_others_do_not(path: str, operation: dict[str, Any]) -> None:
    assert bool(operation["security"]) == path.startswith("/v1/")
    assert ("401" in operation["responses"]) == path.startswith("/v1/")


def test_problem_examples_fit_the_problem_schema() -> None:
    for response in DOCUMENT["components"]["responses"].values():
        for example in response["content"]["application/problem+json"]["examples"].values():
            validator({"$ref": "#/components/schemas/Problem"}).validate(example["value"])


@pytest.mark.parametrize(("path", "url"), ANSWERS)
def test_every_answer_fits_its_schema(client: TestClient, path: str, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator(schema).validate(answer.json())


def test_every_documented_path_is_covered_here() -> None:
    assert {path for path, _ in ANSWERS} | {"/metrics"} == set(DOCUMENT["paths"])


def test_the_served_document_and_the_page_of_endpoints_name_every_path(stranger: TestClient) -> None:
    assert stranger.get("/openapi.json").json() == DOCUMENT
    page = stranger.get("/", follow_redirects=True)
    assert page.headers["content-type"].startswith("text/html")
    for path in DOCUMENT["paths"]:
        assert path in page.text
    assert "<script" not in page.text
    assert "unsafe-inline" not in page.headers["content-security-policy"]
