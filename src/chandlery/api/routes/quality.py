"""Quality: the audit's scores by session."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from chandlery.api.answers import json_response, pager_of
from chandlery.api.deps import Pools, requires
from chandlery.api.documentation import described
from chandlery.api.schemas.quality import QualityPage, QualityQuery
from chandlery.store.serving import list_quality

router = APIRouter(prefix="/v1", tags=["quality"])


@router.get(
    "/quality",
    operation_id="list_quality",
    summary="List quality scores",
    response_model=QualityPage,
    dependencies=[requires("read:quality")],
    responses=described(problems=(400, 404)),
)
async def list_all(request: Request, query: Annotated[QualityQuery, Query()], pools: Pools) -> Response:
    """Scores with `start <= session < end`, by (symbol, timeframe, session)."""
    pager = await pager_of(request, query, pools)
    position = pager.position()
    listing = await list_quality(
        pools,
        symbol=query.symbol,
        timeframe=query.timeframe,
        start=query.start,
        end=query.end,
        after=(position[0], position[1], date.fromisoformat(position[2])) if position else None,
        limit=query.limit + 1,
    )
    items = listing.items[: query.limit]
    following = None
    if len(listing.items) > query.limit:
        last = items[-1]
        following = pager.next_url((last.symbol, last.timeframe, last.session.isoformat()))
    return json_response({"published": listing.published, "items": items, "next": following})
