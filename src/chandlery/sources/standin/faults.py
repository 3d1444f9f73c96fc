"""Faults: what the stand-in does wrong on purpose, by request number."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_JSON = "application/json"
_REFUSAL = "You are not entitled to this data. Please upgrade your plan."


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour: wait, then answer with something else, or with part of the right answer."""

    status: int = HTTPStatus.OK
    body: bytes | None = None
    """Sent instead of the right answer; None lets the right answer through."""
    content_type: str = _JSON
    retry_after: str | None = None
    delay_s: float = 0.0
    keep: float = 1.0
    """Share of the right answer's bytes that is sent, as a well-formed shorter message."""


@dataclass(frozen=True, slots=True)
class FaultScript:
    """Faults by request number, counted from 1 over all requests of the app."""

    faults: Mapping[int, Fault] = field(default_factory=dict)


def too_many_requests(*, retry_after: str | None = None, has_body: bool = True) -> Fault:
    """HTTP 429; `retry_after` is seconds or an HTTP date, None leaves the header out."""
    message = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
    fault = _refused(HTTPStatus.TOO_MANY_REQUESTS, "ERROR", error=message)
    return replace(fault, body=fault.body if has_body else b"", retry_after=retry_after)


def server_error(status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> Fault:
    """HTTP 5xx with the web page a gateway would send."""
    return Fault(status=status, body=b"<html><body>upstream error</body></html>", content_type="text/html")


def truncated(keep: float = 0.5) -> Fault:
    """The right answer, cut off inside the JSON."""
    return Fault(keep=keep)


def unauthorized() -> Fault:
    """HTTP 401, as for a key that was revoked in mid-run."""
    return _refused(HTTPStatus.UNAUTHORIZED, "ERROR", error="Unknown API Key")


def forbidden() -> Fault:
    """HTTP 403, as for data outside the plan."""
    return _refused(HTTPStatus.FORBIDDEN, "NOT_AUTHORIZED", message=_REFUSAL)


def not_authorized_in_body() -> Fault:
    """HTTP 200 with the refusal in the body."""
    return _refused(HTTPStatus.OK, "NOT_AUTHORIZED", message=_REFUSAL)


def html_page() -> Fault:
    """HTTP 200 with a web page, as from a captive portal."""
    return Fault(body=b"<html><body>Please log in</body></html>", content_type="text/html")


def slow(seconds: float) -> Fault:
    """The right answer after a wait."""
    return Fault(delay_s=seconds)


def _refused(http_status: int, status: str, **words: str) -> Fault:
    return Fault(status=http_status, body=orjson.dumps({"status": status, "request_id": "fault", **words}))


class FaultyApp:
    """An ASGI app that plays a fault script over another app."""

    def __init__(self, app: ASGIApp, script: FaultScript) -> None:
        self._app = app
        self._script = script
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, badly if its number is in the script."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._count += 1
        fault = self._script.faults.get(self._count)
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault.body is not None:
            await _answer(send, fault, fault.body)
        else:
            await self._app(scope, receive, _shortened(send, fault.keep))


async def _answer(send: Send, fault: Fault, body: bytes) -> None:
    headers = [(b"content-type", fault.content_type.encode()), (b"content-length", str(len(body)).encode())]
    if fault.retry_after is not None:
        headers.append((b"retry-after", fault.retry_after.encode()))
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _shortened(send: Send, keep: float) -> Send:
    # The length is announced before the body, so both are held until the body is known.
    start: list[Message] = []

    async def send_part(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body = message["body"][: int(len(message["body"]) * keep)]
        headers = [(name, value) for name, value in start[0]["headers"] if name != b"content-length"]
        await send({**start[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({**message, "body": body})

    return send_part
