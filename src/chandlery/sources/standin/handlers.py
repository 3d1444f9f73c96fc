"""Handlers: what every endpoint is given, and what is done around it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from chandlery.sources.standin.answers import RefusedError, json_answer
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.plan_guard import PlanGuard
from chandlery.sources.standin.queries import BadQueryError, write_cursor

Handler = Callable[[Request, str], Response]


@dataclass(frozen=True, slots=True)
class Site:
    """What the endpoints answer from."""

    holdings: Holdings
    guard: PlanGuard
    now: Callable[[], datetime]
    page_limit: int


def guarded(handler: Handler, guard: PlanGuard) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that asks for a key, counts the call and turns refusals into the vendor's bodies."""

    async def endpoint(request: Request) -> Response:
        request_id = uuid4().hex
        if not has_key(request):
            return json_answer(
                {"status": "ERROR", "request_id": request_id, "error": "API Key was not provided"}, status=401
            )
        try:
            guard.count_call()
            return handler(request, request_id)
        except BadQueryError as error:
            return json_answer({"status": "ERROR", "request_id": request_id, "error": str(error)}, status=400)
        except RefusedError as refused:
            return json_answer({**refused.body, "request_id": request_id}, status=refused.status_code)

    return endpoint


def has_key(request: Request) -> bool:
    """Return whether the request carries a key, any key."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return bool((scheme.lower() == "bearer" and token.strip()) or request.query_params.get("apiKey"))


def next_url(request: Request, path: str, cursor: Mapping[str, object]) -> str:
    """Return where the next page is: this host, a path, and a cursor that holds everything but the key."""
    return f"{request.url.scheme}://{request.url.netloc}{path}?cursor={write_cursor(cursor)}"
