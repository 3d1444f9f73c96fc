"""The player: an ASGI app that plays a fault script over another app."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from urllib.parse import parse_qsl

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chandlery.log import get_logger
from chandlery.sources.standin.faults.fault import DISCONNECT, Asked, Body, Fault, Rewrite, UnfitFaultError
from chandlery.sources.standin.faults.script import FaultScript
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.journal import FAULT_KEY

_log = get_logger(__name__)
_REMEMBERED = "/v2/aggs/ticker/"


class FaultyApp:
    """Serves what another app serves, badly where the script says so."""

    def __init__(
        self,
        app: ASGIApp,
        script: FaultScript,
        *,
        holdings: Holdings | None,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._app = app
        self._script = script
        self._holdings = holdings
        self._now = now
        self._sleep = sleep
        self._count = 0
        self._fitting = [0] * len(script.planned)
        self._earlier: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._count += 1
        asked = _asked(scope)
        played: Fault | None = None
        for fault in [*self._due(asked)]:
            if fault.change is not None:
                self._change(scope, fault, asked)
            if played is None and (fault.change is None or fault.delay_s):
                played = fault
        if played is None:
            start, body = await _collected(self._app, scope, receive)
            self._remember(scope, start, body)
            await _send_whole(send, start, body)
        else:
            await self._play(played, asked, scope, receive, send)

    def _due(self, asked: Asked) -> Iterator[Fault]:
        numbered = self._script.faults.get(self._count)
        if numbered is not None:
            yield numbered
        now = self._now()
        for place, planned in enumerate(self._script.planned):
            if planned.fits(number=self._count, path=asked.path, target=asked.target, now=now):
                self._fitting[place] += 1
                count = self._fitting[place]
                if count == planned.nth if planned.fault.change is not None else planned.is_due(count):
                    yield planned.fault

    def _change(self, scope: Scope, fault: Fault, asked: Asked) -> None:
        try:
            if fault.change is not None:
                fault.change.apply(self._held(), asked)
                scope[FAULT_KEY] = fault.name
        except UnfitFaultError as error:
            _log.warning("fault_missed", fault=fault.name, path=asked.path, reason=str(error))

    def _held(self) -> Holdings:
        if self._holdings is None:
            raise UnfitFaultError("recorded answers cannot change")
        return self._holdings

    async def _play(self, fault: Fault, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        scope[FAULT_KEY] = fault.name
        if fault.delay_s and not await _waited(self._sleep(fault.delay_s), receive):
            return
        if fault.closes_after == 0.0:
            await send({"type": DISCONNECT})
            return
        if fault.body is not None:
            await _answer(send, fault, fault.body)
            return
        start, body = await _collected(self._app, scope, receive)
        if fault.rewrite is not None:
            body = self._rewritten(fault, fault.rewrite, asked, scope, body)
        if fault.closes_after is not None:
            await send(_announced(start, len(body)))
            await send({"type": "http.response.body", "body": _share(body, fault.closes_after), "more_body": True})
            await send({"type": DISCONNECT})
            return
        self._remember(scope, start, body)
        if fault.keep < 1.0:
            start = _announced(start, 0)
        await _send_whole(send, start, _share(body, fault.keep))

    def _rewritten(self, fault: Fault, rewrite: Rewrite, asked: Asked, scope: Scope, body: bytes) -> bytes:
        try:
            # NaN and Infinity are what the standard library writes for them, and what vendors send.
            return json.dumps(rewrite(_object(body), self._with_earlier(asked))).encode()
        except UnfitFaultError as error:
            scope.pop(FAULT_KEY, None)
            _log.warning("fault_missed", fault=fault.name, path=asked.path, reason=str(error))
            return body

    def _with_earlier(self, asked: Asked) -> Asked:
        earlier: Body | None = None if self._earlier is None else json.loads(self._earlier)
        return Asked(asked.origin, asked.path, asked.query, asked.target, earlier)

    def _remember(self, scope: Scope, start: Message, body: bytes) -> None:
        if scope["path"].startswith(_REMEMBERED) and start["status"] == 200 and b'"results"' in body:
            self._earlier = body


def _asked(scope: Scope) -> Asked:
    query = scope["query_string"].decode("ascii")
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("ascii")
    path = scope["path"]
    target = f"{path}?{query}" if query else path
    return Asked(f"{scope['scheme']}://{host}", path, dict(parse_qsl(query)), target)


def _object(body: bytes) -> Body:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnfitFaultError("the right answer is no JSON") from error
    if not isinstance(value, dict):
        raise UnfitFaultError("the right answer is no JSON object")
    return value


async def _waited(delay: Awaitable[None], receive: Receive) -> bool:
    """Wait, and return whether the client is still there: nobody waits for one that left."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    waiting, leaving = asyncio.ensure_future(delay), asyncio.ensure_future(gone())
    done, pending = await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return waiting in done


async def _collected(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])


async def _answer(send: Send, fault: Fault, body: bytes) -> None:
    headers = [(b"content-type", fault.content_type.encode())]
    if fault.retry_after is not None:
        headers.append((b"retry-after", fault.retry_after.encode()))
    await _send_whole(send, {"type": "http.response.start", "status": fault.status, "headers": headers}, body)


async def _send_whole(send: Send, start: Message, body: bytes) -> None:
    # A HEAD answer announces a length without a body; it must not be announced again as 0.
    has_length = not body and any(name == b"content-length" for name, _ in start["headers"])
    await send(start if has_length else _announced(start, len(body)))
    await send({"type": "http.response.body", "body": body})


def _announced(start: Message, length: int) -> Message:
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", str(length).encode())]}


def _share(body: bytes, share: float) -> bytes:
    return body[: int(len(body) * share)]
