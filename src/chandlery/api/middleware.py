"""The one middleware, pure ASGI: request id, access log, metrics, security headers, the last catch."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chandlery.api.errors import answer_failure, caught
from chandlery.api.metrics import Metrics
from chandlery.log import get_logger

log = get_logger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HSTS = "max-age=31536000; includeSubDomains"


class RequestEnvelope:
    """Wraps every HTTP request; an error nobody else translated becomes the opaque 500 here."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _accepted_id(Headers(scope=scope).get("x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status = 0

        async def enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, request_id, is_tls=scope["scheme"] == "https")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                error = await caught(self._app(scope, receive, enveloped))
                if error is not None and status:
                    # Half an answer is out: end the connection, so that nobody takes it for a whole one.
                    raise error
                if error is not None:
                    await answer_failure(Request(scope))(scope, receive, enveloped)
            finally:
                self._account(scope, status or 500, time.perf_counter() - began)
                structlog.contextvars.unbind_contextvars("key_id")

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        state = scope["state"]
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.count_request(
            route=route, method=scope["method"], status=status, seconds=seconds, problem=state.get("problem")
        )
        log.info(
            "request_served",
            route=route,
            method=scope["method"],
            status=status,
            ms=round(seconds * 1000, 2),
            key_id=state.get("key_id"),
        )


def _accepted_id(sent: str | None) -> str:
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


def _add_headers(message: Message, request_id: str, *, is_tls: bool) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Request-Id"] = request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if is_tls:
        headers.setdefault("Strict-Transport-Security", _HSTS)
