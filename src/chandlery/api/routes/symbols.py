"""Symbols: what is published."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from chandlery.api.answers import json_response, pager_of
from chandlery.api.deps import Pools, requires
from chandlery.api.documentation import described
from chandlery.api.schemas.shared import Symbol
from chandlery.api.schemas.symbols import SymbolAnswer, SymbolsPage, SymbolsQuery
from chandlery.store.serving import find_symbol, list_symbols

router = APIRouter(prefix="/v1", tags=["symbols"])


@router.get(
    "/symbols",
    operation_id="list_symbols",
    summary="List symbols",
    response_model=SymbolsPage,
    dependencies=[requires("read:candles")],
    responses=described(problems=(400,)),
)
async def list_all(request: Request, query: Annotated[SymbolsQuery, Query()], pools: Pools) -> Response:
    """Published symbols in ascending order, with their coverage and mean quality score."""
    pager = await pager_of(request, query, pools)
    position = pager.position()
    listing = await list_symbols(
        pools,
        asset_class=query.asset_class,
        text=query.q,
        after=position[0] if position else None,
        limit=query.limit + 1,
    )
    items = listing.items[: query.limit]
    following = pager.next_url((items[-1].symbol,)) if len(listing.items) > query.limit else None
    return json_response({"published": listing.published, "items": items, "next": following})


@router.get(
    "/symbols/{symbol}",
    operation_id="read_symbol",
    summary="Read one symbol",
    response_model=SymbolAnswer,
    dependencies=[requires("read:candles")],
    responses=described(problems=(404,)),
)
async def read(symbol: Annotated[Symbol, Path()], pools: Pools) -> Response:
    """One symbol; an unknown one is 404 with near matches."""
    found = await find_symbol(pools, symbol)
    return json_response({**asdict(found.items[0]), "published": found.published})
