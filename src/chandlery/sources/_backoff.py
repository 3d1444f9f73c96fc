"""Back-off: how long to wait before the next try."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Literal

LONGEST_DELAY_S = 60.0
_LARGEST_EXPONENT = 16

Strategy = Literal["exponential", "linear", "fixed"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between tries: at most `base_s`, `base_s * attempt` or `base_s * 2^(attempt - 1)`, never over 60 s."""

    strategy: Strategy = "exponential"
    base_s: float = 1.0

    def ceiling(self, attempt: int) -> float:
        """Return the longest wait after failed attempt number `attempt` (1 = the first)."""
        factors = {
            "exponential": 2.0 ** min(attempt - 1, _LARGEST_EXPONENT),
            "linear": float(attempt),
            "fixed": 1.0,
        }
        return min(LONGEST_DELAY_S, self.base_s * factors[self.strategy])

    def wait(self, attempt: int, random: Random) -> float:
        """Return the seconds to wait, uniform up to the ceiling.

        "Full jitter" keeps many clients from coming back together.
        """
        return random.uniform(0.0, self.ceiling(attempt))


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds a `Retry-After` header asks for (RFC 9110 section 10.2.3), at least 0.

    The header holds seconds or an HTTP date. Absent or unreadable gives None: a source that says something
    meaningless is treated like one that says nothing.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
