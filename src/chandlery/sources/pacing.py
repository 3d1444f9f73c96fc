"""Pacing: how many calls may leave in a stretch of time."""

import threading
from collections.abc import Callable


class TokenBucket:
    """A token bucket: `capacity` calls at once, then one every `1 / rate` seconds.

    In any window `[t, t + w)` at most `capacity + rate * w` calls leave; with capacity 1 and 5 a minute that
    is 5 calls in every half-open 60 s. The bucket is kept as the one moment at which it would be full again
    (the generic cell rate algorithm), so no rounding of token counts can add up. Threads may share one;
    processes cannot, each multiplies the pace.
    """

    def __init__(
        self, *, rate: float, capacity: int, monotonic: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._interval = 1.0 / rate
        self._tolerance = (capacity - 1) * self._interval
        self._monotonic = monotonic
        self._sleep = sleep
        self._full_at = float("-inf")
        self._lock = threading.Lock()

    def take(self) -> float:
        """Wait until one more call may leave and return the seconds waited."""
        with self._lock:
            now = self._monotonic()
            full_at = max(self._full_at, now)
            wait = max(0.0, full_at - self._tolerance - now)
            self._full_at = full_at + self._interval
        if wait > 0.0:
            self._sleep(wait)
        return wait
