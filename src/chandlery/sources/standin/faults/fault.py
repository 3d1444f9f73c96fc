"""The fault: one misbehaviour of the provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from chandlery.sources.standin.holdings import Holdings

JSON = "application/json"
DISCONNECT = "chandlery.disconnect"
"""ASGI message of ours: close the connection now. Servers of the stand-in understand it, others refuse it."""

Body = dict[str, Any]


class UnfitFaultError(Exception):
    """A fault that the request it was planned for gives no hold to; the right answer is sent instead."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request a fault is played on."""

    origin: str
    """Scheme and host, `http://127.0.0.1:8765`."""
    path: str
    query: Mapping[str, str]
    target: str
    """Path and query as sent."""
    earlier: Body | None = None
    """The aggregates answered last, None before the first ones."""


class Change(Protocol):
    """A change of what the provider holds; it stays."""

    def apply(self, holdings: Holdings, asked: Asked) -> None:
        """Change the holdings.

        Raises:
            UnfitFaultError: if what is to be changed is neither named nor to be read from the request.
        """
        ...


Rewrite = Callable[[Body, Asked], Body]
"""The right body and the request in, the wrong body out; may raise `UnfitFaultError`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour: wait, then answer with something else, with a changed answer, or with part of it."""

    status: int = HTTPStatus.OK
    body: bytes | None = None
    """Sent instead of the right answer; None lets the right answer through."""
    content_type: str = JSON
    retry_after: str | None = None
    delay_s: float = 0.0
    keep: float = 1.0
    """Share of the right answer's bytes that is sent, as a well-formed shorter message."""
    closes_after: float | None = None
    """Share of the announced bytes after which the connection is closed; 0: before the first byte of the head."""
    rewrite: Rewrite | None = None
    change: Change | None = None
    """Made before the answer, and kept: the answer is right, for a provider that knows better now."""
    name: str = ""
    """Name in the registry, empty for a fault made by hand."""
