"""Probes: does the process live, can it answer, what does it count. Open, without a key."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

import chandlery
from chandlery.api.answers import json_response
from chandlery.api.deps import AppMetrics, Pools
from chandlery.api.documentation import described_open
from chandlery.api.errors import problem_of, render
from chandlery.api.problems import PROBLEMS
from chandlery.api.schemas.health import Alive, Ready
from chandlery.errors import StoreError
from chandlery.store.serving import Readiness, read_publications, read_readiness
from chandlery.store.serving_pools import ServingPools
from chandlery.store.version import SCHEMA_REVISION

router = APIRouter(tags=["operation"])


@router.get(
    "/livez",
    operation_id="livez",
    summary="Is the process alive",
    response_model=Alive,
    responses=described_open(),
)
async def livez() -> Response:
    """Always 200 while the process answers, whatever the warehouse does."""
    return json_response({"status": "alive", "version": chandlery.__version__})


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Can it answer",
    response_model=Ready,
    responses=described_open(problems=(503,)),
)
async def readyz(request: Request, pools: Pools) -> Response:
    """200 if the warehouse answers, stands at this code's schema version and something is published."""
    readiness, reasons = await _look(pools)
    if reasons:
        detail = "The API cannot answer yet: " + " ".join(reason["detail"] for reason in reasons)
        return render(request, PROBLEMS["not_ready"], detail, reasons=reasons)
    versions = {publication.dataset: publication.version for publication in readiness.publications}
    return json_response({"status": "ready", "schema_revision": readiness.revision, "publications": versions})


@router.get("/metrics", operation_id="metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
async def metrics(pools: Pools, counted: AppMetrics) -> Response:
    """Requests, latency, errors and the age of each dataset, in Prometheus' text format."""
    try:
        counted.note_publications(await read_publications(pools))
    except StoreError:
        counted.note_publications(None)
    return Response(counted.render(), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


async def _look(pools: ServingPools) -> tuple[Readiness, list[dict[str, str]]]:
    try:
        readiness = await read_readiness(pools)
    except StoreError as error:
        return Readiness(None, ()), [{"code": problem_of(error).code, "detail": str(error)}]
    reasons = []
    if readiness.revision != SCHEMA_REVISION:
        detail = (
            f"The warehouse stands at schema version {readiness.revision or 'none'}, this code needs "
            f"{SCHEMA_REVISION}. Run `chandlery migrate`."
        )
        reasons.append({"code": "not_migrated", "detail": detail})
    if not readiness.publications:
        reasons.append({"code": "not_published", "detail": "Nothing is published yet. Run `chandlery demo`."})
    return readiness, reasons
