"""The gate every request to a provider passes: pace, circuit breaker, log. One per host, shared by all processes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Outcome = Literal["ok", "rate_limited", "unavailable", "not_entitled", "bad_payload"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that left, and what came of it."""

    path: str
    """Without query, so without a key."""
    attempt: int
    sent_at: datetime
    outcome: Outcome
    status: int | None
    """HTTP status; None when nothing came back."""
    size: int
    """Bytes of the body."""
    ms: int
    request_id: str | None


class Gate(Protocol):
    """What `HttpClient` asks before each request and tells after it.

    Implementations: `sources.turnstile.Turnstile` holds the rules, over the memory of one process
    (`sources.local_gate.LocalGate`) or a row of the warehouse that all processes share (`store.gate.GateLedger`, put
    together by `steps.source.open_shared_source`); `sources.local_gate.OpenGate` has no rules. With a pace, of the
    moments at which requests leave no `calls + 1` lie within `per_s` seconds; left open is only a process that is
    suspended between the last look at the clock and the first byte.
    """

    def enter(self) -> float:
        """Wait until one more request may leave, and return the seconds waited.

        Pages, retries and reference calls each enter once.

        Raises:
            Unavailable: the circuit is open (too many consecutive failures); nothing was sent. The message says
                until when. While it is half open one caller is let through as the probe, the others are refused.
            RateLimited: the slot would lie hours ahead; the log or the clock is wrong.
        """
        ...

    def report(self, sent: Sent) -> None:
        """Record what came of the request.

        `unavailable` counts towards opening the circuit, `ok` closes it; refusals, rate limits and bad payloads leave
        the count as it is, but close a half-open circuit: the provider answered.
        """
        ...
