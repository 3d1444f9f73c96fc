"""The contract for reading: openapi.json, the page of endpoints, the problem catalogue. Open, without a key."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chandlery.api.answers import json_response
from chandlery.api.documentation import described_open
from chandlery.api.endpoints_page import page_policy, render_page
from chandlery.api.problems import PROBLEMS
from chandlery.api.schemas.health import ProblemDescription
from chandlery.api.schemas.shared import Word
from chandlery.errors import NotFound

router = APIRouter(tags=["operation"])


@router.get("/", include_in_schema=False)
async def root() -> Response:
    """Lead a browser to the page of endpoints."""
    return RedirectResponse("/docs", status_code=307)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return json_response(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Every endpoint with its parameters; one static page that loads nothing from anywhere."""
    return HTMLResponse(
        render_page(request.app.openapi()),
        headers={"Content-Security-Policy": page_policy(), "Cache-Control": "no-cache"},
    )


@router.get(
    "/problems/{code}",
    operation_id="read_problem",
    summary="What a problem means",
    response_model=ProblemDescription,
    responses=described_open(problems=(404, 422)),
)
async def problem(code: Annotated[Word, Path()]) -> Response:
    """What the `type` of an error answer means and what to do."""
    found = PROBLEMS.get(code)
    if found is None:
        raise NotFound(f"Problem {code} was looked up and not found. Known: {', '.join(PROBLEMS)}.")
    return json_response(
        {
            "type": f"/problems/{found.code}",
            "code": found.code,
            "status": found.status,
            "title": found.title,
            "description": found.description,
        }
    )
