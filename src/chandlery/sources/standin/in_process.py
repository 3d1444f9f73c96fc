"""In process: one request to an app of this package without a port, for simulations on another clock."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message, Scope

from chandlery.sources.standin.faults.fault import DISCONNECT


class ConnectionLostError(Exception):
    """The app closed the connection before the answer was complete."""

    def __init__(self, received: bytes, *, is_begun: bool) -> None:
        super().__init__(f"connection closed after {len(received)} bytes of the body")
        self.received = received
        """What had come of the body."""
        self.is_begun = is_begun
        """Whether the head of the answer had come."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def ask(
    app: ASGIApp, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, host: str = "stand-in"
) -> Answered:
    """Return an app's answer; may not be called from a running event loop.

    Args:
        app: what to ask.
        url: path and query, percent-encoded, or a whole URL of which scheme and host reach the app as well.
        method: GET or HEAD.
        headers: of the request; `Authorization` is not made up.
        host: of a `url` that has none.

    Raises:
        ConnectionLostError: if a fault closes the connection.
    """
    parts = urlsplit(url)
    given = {"host": parts.netloc or host, **{name.lower(): value for name, value in (headers or {}).items()}}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme or "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items()],
        "client": None,
        "server": None,
    }
    return asyncio.run(_answer(app, scope))


async def _answer(app: ASGIApp, scope: Scope) -> Answered:
    sent: list[Message] = []
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()  # The client stays.
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    if any(message["type"] == DISCONNECT for message in sent):
        raise ConnectionLostError(content, is_begun=sent[0]["type"] == "http.response.start")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answered(sent[0]["status"], headers, b"" if scope["method"] == "HEAD" else content)
