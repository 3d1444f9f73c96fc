"""Risk reports: as data and as the page made for reading."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from chandlery.api.answers import json_response, pager_of
from chandlery.api.deps import Pools, requires
from chandlery.api.documentation import described
from chandlery.api.schemas.risk import ReportAnswer, ReportQuery, ReportsPage, ReportsQuery
from chandlery.api.schemas.shared import Word
from chandlery.store.serving_research import find_report, list_reports

router = APIRouter(prefix="/v1/risk", tags=["risk"])

# The page is one file with its style inside and no script; it may fetch nothing and run nothing.
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"


@router.get(
    "/reports",
    operation_id="list_risk_reports",
    summary="List risk reports",
    response_model=ReportsPage,
    dependencies=[requires("read:risk")],
    responses=described(problems=(400,)),
)
async def list_all(request: Request, query: Annotated[ReportsQuery, Query()], pools: Pools) -> Response:
    """Published risk reports, latest first."""
    pager = await pager_of(request, query, pools)
    position = pager.position()
    listing = await list_reports(
        pools,
        portfolio=query.portfolio,
        after=(date.fromisoformat(position[0]), position[1]) if position else None,
        limit=query.limit + 1,
    )
    items = listing.items[: query.limit]
    following = None
    if len(listing.items) > query.limit:
        following = pager.next_url((items[-1].as_of.isoformat(), items[-1].report_id))
    return json_response({"published": listing.published, "items": items, "next": following})


@router.get(
    "/reports/{report_id}",
    operation_id="read_risk_report",
    summary="Read one risk report",
    response_model=ReportAnswer,
    dependencies=[requires("read:risk")],
    responses=described(problems=(404,), html="<!doctype html>..."),
)
async def read(
    request: Request, report_id: Annotated[Word, Path()], query: Annotated[ReportQuery, Query()], pools: Pools
) -> Response:
    """One risk report, as JSON or as its HTML page."""
    report = await find_report(pools, report_id)
    wanted = query.format or ("html" if "text/html" in request.headers.get("accept", "") else "json")
    if wanted == "html":
        headers = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "private, no-cache", "Vary": "Accept"}
        return Response(report.html, media_type="text/html; charset=utf-8", headers=headers)
    answer = json_response({**asdict(report.summary), "published": report.published, "payload": report.payload})
    answer.headers["Vary"] = "Accept"
    return answer
