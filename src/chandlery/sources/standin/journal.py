"""Journal: every request the stand-in received, for tests and benchmarks that count them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULT_KEY = "chandlery.fault"
"""Where in the scope the name of a played fault stands."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request and what came of it."""

    at: datetime
    path: str
    query: str
    status: int | None
    """None if the connection was closed before an answer began."""
    fault: str | None
    """Name of the fault that was played, None for a right answer."""


class JournalApp:
    """An ASGI app that writes down what another one receives."""

    def __init__(self, app: ASGIApp, journal: list[Received], now: Callable[[], datetime]) -> None:
        self._app = app
        self._journal = journal
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and write it down, in the order of completion."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, statuses = self._now(), list[int]()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            query = scope["query_string"].decode("ascii")
            status = statuses[0] if statuses else None
            self._journal.append(Received(at, scope["path"], query, status, scope.get(FAULT_KEY)))
