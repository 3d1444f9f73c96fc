"""Studies: what was searched and what came of it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from chandlery.api.answers import json_response, pager_of
from chandlery.api.deps import Pools, requires
from chandlery.api.documentation import described
from chandlery.api.instants import instant_text
from chandlery.api.schemas.shared import Word
from chandlery.api.schemas.studies import StudiesPage, StudiesQuery, StudyAnswer
from chandlery.store.serving_research import find_study, list_studies

router = APIRouter(prefix="/v1", tags=["research"])


@router.get(
    "/studies",
    operation_id="list_studies",
    summary="List studies",
    response_model=StudiesPage,
    dependencies=[requires("read:research")],
    responses=described(problems=(400,)),
)
async def list_all(request: Request, query: Annotated[StudiesQuery, Query()], pools: Pools) -> Response:
    """Published studies, newest first."""
    pager = await pager_of(request, query, pools)
    position = pager.position()
    listing = await list_studies(
        pools,
        strategy=query.strategy,
        symbol=query.symbol,
        after=(datetime.fromisoformat(position[0]), position[1]) if position else None,
        limit=query.limit + 1,
    )
    items = listing.items[: query.limit]
    following = None
    if len(listing.items) > query.limit:
        following = pager.next_url((instant_text(items[-1].created_at), items[-1].study_id))
    return json_response({"published": listing.published, "items": items, "next": following})


@router.get(
    "/studies/{study_id}",
    operation_id="read_study",
    summary="Read one study",
    response_model=StudyAnswer,
    dependencies=[requires("read:research")],
    responses=described(problems=(404,)),
)
async def read(study_id: Annotated[Word, Path()], pools: Pools) -> Response:
    """One study with its equity curve beside buying and holding."""
    found = await find_study(pools, study_id)
    return json_response({**asdict(found.study), "published": found.published, "equity": found.equity})
