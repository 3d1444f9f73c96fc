"""Candles: the one path built for volume."""

import asyncio
import hashlib
from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from chandlery.api.answers import Pager, pager_of
from chandlery.api.candle_formats import csv_rows, json_columns, json_objects
from chandlery.api.deps import Pools, requires
from chandlery.api.documentation import described
from chandlery.api.examples import CANDLES_CSV
from chandlery.api.instants import instant_text
from chandlery.api.schemas.candles import CandleColumnsPage, CandleObjectsPage, CandleQuery
from chandlery.market.timeframes import parse_candle_timeframe
from chandlery.store.serving import Publication, find_publication
from chandlery.store.serving_candles import CandleAnswer, CandleColumns, CandleQuestion, read_candles

router = APIRouter(prefix="/v1", tags=["candles"])

_HEAVY_ROWS = 5000
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, X-API-Key"}


@router.get(
    "/candles",
    operation_id="read_candles",
    summary="Read candles of one symbol",
    response_model=CandleColumnsPage | CandleObjectsPage,
    dependencies=[requires("read:candles")],
    responses=described(problems=(400, 404, 409), csv=CANDLES_CSV)
    | {304: {"description": "The ETag sent still holds."}},
)
async def read(request: Request, query: Annotated[CandleQuery, Query()], pools: Pools) -> Response:
    """Candles with `start <= ts < end`, one published version an answer, paged by `next`.

    `ETag` changes with every publication; sent back in `If-None-Match` it saves the transfer.
    """
    pager = await pager_of(request, query, pools)
    position = pager.position()
    sent = request.headers.get("if-none-match")
    if sent is not None:
        published = await find_publication(pools, "candles")
        if published is not None and _matches(sent, _etag(pager, published)):
            return Response(status_code=304, headers={**_CACHING, "ETag": _etag(pager, published)})
    answer = await read_candles(pools, _question(query, position))
    # Encoding a large page takes tens of milliseconds, in which the loop would answer nobody else.
    if len(answer.columns) > _HEAVY_ROWS:
        return await asyncio.to_thread(_response, pager, query, answer)
    return _response(pager, query, answer)


def _question(query: CandleQuery, position: tuple[str, ...] | None) -> CandleQuestion:
    return CandleQuestion(
        symbol=query.symbol,
        timeframe=parse_candle_timeframe(query.timeframe),
        basis=query.basis,
        start=query.start,
        end=query.end,
        min_quality=query.min_quality,
        order=query.order,
        after=None if position is None else datetime.fromisoformat(position[1]),
        limit=query.limit + 1,
    )


def _response(pager: Pager, query: CandleQuery, answer: CandleAnswer) -> Response:
    columns, following = _cut(pager, query, answer.columns)
    sources = [name for code, name in enumerate(columns.source_names) if (columns.source_codes == code).any()]
    headers = {
        **_CACHING,
        "ETag": _etag(pager, answer.published),
        "Chandlery-Version": str(answer.published.version),
        "Chandlery-Published-At": instant_text(answer.published.published_at),
        "Chandlery-Source": ", ".join(name.encode("ascii", "backslashreplace").decode() for name in sources),
        "Chandlery-Rows": str(len(columns)),
    }
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    if query.format == "csv":
        return Response(csv_rows(columns), media_type="text/csv", headers=headers)
    envelope = {
        "symbol": query.symbol,
        "timeframe": query.timeframe,
        "basis": query.basis,
        "order": query.order,
        "published": answer.published,
        "sources": sources,
        "is_simulated": any("simulated" in name.lower() for name in sources),
        "count": len(columns),
        "next": following,
    }
    encode = json_objects if query.layout == "objects" else json_columns
    return Response(encode(envelope, columns), media_type="application/json", headers=headers)


def _cut(pager: Pager, query: CandleQuery, columns: CandleColumns) -> tuple[CandleColumns, str | None]:
    """Return at most `limit` rows and, if there were more, the URL of the page after them."""
    if len(columns) <= query.limit:
        return columns, None
    page = columns.head(query.limit)
    return page, pager.next_url((query.symbol, f"{page.ts[-1]}Z"))


def _etag(pager: Pager, published: Publication) -> str:
    parameters = pager.query.model_dump(mode="json")
    where = f"{pager.request.url.scheme}://{pager.request.url.netloc}{pager.request.url.path}"
    material = [where, parameters, published.version, published.published_at]
    return f'"{hashlib.blake2b(orjson.dumps(material, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()}"'


def _matches(sent: str, etag: str) -> bool:
    held = {text.strip().removeprefix("W/") for text in sent.split(",")}
    return etag in held or "*" in held
