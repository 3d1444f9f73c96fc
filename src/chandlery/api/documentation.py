"""How operations are described in OpenAPI: examples, our problems, who needs a key."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from chandlery.api.errors import MEDIA_TYPE
from chandlery.api.examples import BY_OPERATION
from chandlery.api.problems import PROBLEMS
from chandlery.api.schemas.shared import Problem

Responses = dict[int | str, dict[str, Any]]

_KEYED = (401, 403, 422, 500, 503, 504)
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer cdl_live_...`"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def described(
    *,
    problems: Sequence[int] = (),
    csv: str | None = None,
    html: str | None = None,
) -> Responses:
    """Return `responses` of an operation that needs a key; its JSON example stands in `examples.py`.

    `problems` are the statuses it can answer beyond those of every operation with a key; `csv` and `html` are
    examples of further forms.
    """
    responses = described_open(problems=sorted({*_KEYED, *problems}))
    content = responses[200]["content"]
    for media_type, text in (("text/csv", csv), ("text/html", html)):
        if text is not None:
            content[media_type] = {"schema": {"type": "string"}, "example": text}
    return responses


def described_open(*, problems: Sequence[int] = ()) -> Responses:
    """Return `responses` of an operation without a key."""
    return {
        200: {"description": "OK", "content": {}},
        **{problem: {"$ref": f"#/components/responses/Problem{problem}"} for problem in problems},
    }


def problem_responses() -> dict[str, dict[str, Any]]:
    """Return OpenAPI's shared responses: one for each status a problem can have."""
    return {f"Problem{status}": _problem(status) for status in sorted({kind.status for kind in PROBLEMS.values()})}


def _problem(status: int) -> dict[str, Any]:
    kinds = [problem for problem in PROBLEMS.values() if problem.status == status]
    examples = {
        kind.code: {
            "value": {
                "type": f"/problems/{kind.code}",
                "title": kind.title,
                "status": status,
                "detail": kind.description,
                "instance": "3f2a9c51d0e64b7f8a1b2c3d4e5f6071",
                "code": kind.code,
            }
        }
        for kind in kinds
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": " or ".join(kind.title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an app; made once, then kept by the app."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        components = document.setdefault("components", {})
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
        components |= {"securitySchemes": _SECURITY, "responses": problem_responses()}
        for path, methods in document["paths"].items():
            for operation in methods.values():
                operation["security"] = [{name: []} for name in _SECURITY] if path.startswith("/v1/") else []
                example = BY_OPERATION.get(operation["operationId"])
                if example is not None:
                    operation["responses"]["200"]["content"]["application/json"]["example"] = example
                operation["responses"] = {
                    status: _only_reference(response) for status, response in operation["responses"].items()
                }
        app.openapi_schema = document
    return app.openapi_schema


def _only_reference(response: dict[str, Any]) -> dict[str, Any]:
    """Return a response by reference without the description FastAPI put beside it."""
    return {"$ref": response["$ref"]} if "$ref" in response else response
