"""The app: routes, keys and bodies as the vendor has them.

Served: aggregates of one minute or one day, `/v3/reference/splits`, `/v3/reference/tickers`. Two things are
the stand-in's own: the header `Chandlery-Source` (who published the bars) and, in tickers, `list_date` and
`delisted_utc` as first and last session on the tape, which knows nothing before and after.
"""

from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chandlery.sources.standin.aggregates import Aggregates
from chandlery.sources.standin.faults import FaultScript, FaultyApp
from chandlery.sources.standin.queries import MAX_LIMIT, BadQueryError, BarsQuery, read_bars_query, write_cursor
from chandlery.sources.standin.reference import Reference, ReferencePage
from chandlery.sources.tapes.tape import Tape

SOURCE_HEADER = "Chandlery-Source"
_BARS_PATH = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}"

Handler = Callable[[Request, str], Response]


def create_app(tape: Tape, *, page_limit: int = MAX_LIMIT, faults: FaultScript | None = None) -> ASGIApp:
    """Return the ASGI app that serves a tape.

    Args:
        tape: what to serve; a new file on it is seen by a new app only.
        page_limit: rows a page never exceeds, whatever the request's limit; small values test paging.
        faults: what goes wrong at which request; None: nothing.
    """
    aggregates, reference = Aggregates(tape), Reference(tape)

    def bars(request: Request, request_id: str) -> Response:
        return _bars(request, request_id, aggregates, page_limit)

    def splits(request: Request, request_id: str) -> Response:
        return _listed(request, request_id, reference.splits(request.query_params))

    def tickers(request: Request, request_id: str) -> Response:
        return _listed(request, request_id, reference.tickers(request.query_params))

    routes = {_BARS_PATH: bars, "/v3/reference/splits": splits, "/v3/reference/tickers": tickers}
    app = Starlette(routes=[Route(path, _guarded(handler)) for path, handler in routes.items()])
    return app if faults is None else FaultyApp(app, faults)


def _guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        request_id = uuid4().hex
        if not _has_key(request):
            return _json({"status": "ERROR", "request_id": request_id, "error": "API Key was not provided"}, status=401)
        try:
            return handler(request, request_id)
        except BadQueryError as error:
            return _json({"status": "ERROR", "request_id": request_id, "error": str(error)}, status=400)

    return endpoint


def _has_key(request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return bool((scheme.lower() == "bearer" and token.strip()) or request.query_params.get("apiKey"))


def _bars(request: Request, request_id: str, aggregates: Aggregates, page_limit: int) -> Response:
    query = read_bars_query(request.path_params, request.query_params)
    page = aggregates.page(query, page_limit=page_limit)
    body: dict[str, object] = {
        "ticker": query.symbol,
        "queryCount": page.count,
        "resultsCount": page.count,
        "adjusted": query.is_adjusted,
        "status": "OK",
        "request_id": request_id,
        "count": page.count,
    }
    if page.count:
        body["results"] = orjson.Fragment(page.results)
    if page.next_t is not None:
        body["next_url"] = _next_bars_url(request, query, page.next_t)
    return _json(body, source=aggregates.source(query))


def _next_bars_url(request: Request, query: BarsQuery, next_t: int) -> str:
    path = request.path_params
    start, end = (path["from"], next_t) if query.is_descending else (next_t, path["to"])
    prefix = f"/v2/aggs/ticker/{query.symbol}/range/{path['multiplier']}/{path['timespan']}/{start}/{end}"
    cursor = {
        "adjusted": str(query.is_adjusted).lower(),
        "limit": query.limit,
        "sort": "desc" if query.is_descending else "asc",
    }
    return _url(request, prefix, cursor)


def _listed(request: Request, request_id: str, page: ReferencePage) -> Response:
    body: dict[str, object] = {"results": page.rows, "status": "OK", "request_id": request_id, "count": len(page.rows)}
    if page.cursor is not None:
        body["next_url"] = _url(request, request.url.path, page.cursor)
    return _json(body)


def _url(request: Request, path: str, cursor: Mapping[str, object]) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{path}?cursor={write_cursor(cursor)}"


def _json(body: Mapping[str, object], *, status: int = 200, source: str | None = None) -> Response:
    headers = {} if source is None else {SOURCE_HEADER: source}
    return Response(orjson.dumps(body), status_code=status, headers=headers, media_type="application/json")
