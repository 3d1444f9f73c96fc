"""Two years of minutes on the free plan, simulated: how long, and never more than 5 calls in any 60 s?

`python benchmarks/pacing.py` runs the product's gate on a clock that only waiting and answering move, beside two token
buckets. Windows are those of the ingest: 52 sessions at first contact, then as many as 50,000 minutes hold at the
symbol's own density. Seconds of an answer are assumed, and do not matter while the pace is what is waited for.
"""

from bisect import bisect_left
from collections.abc import Callable
from math import ceil

from chandlery.sources import LocalGate
from chandlery.sources.breaker import Breaker
from chandlery.sources.pacing import pace_of

SYMBOLS, SESSIONS = 63, 502
FIRST_WINDOW, LIMIT = 52, 50_000
ANSWER_S, EVERY_RETRY = 1.5, 50
GOAL_MINUTES, ALLOWED = 120.0, 5

DENSITIES = {
    "960 minutes a session (every minute traded, 04:00-20:00)": 960,
    "870 minutes a session": 870,
    "749 minutes a session (p95 of SPY 2011-01 on the tapes)": 749,
}


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds


class _TokenBucket:
    """The peer: `capacity` calls at once, refilled at `rate` calls a second."""

    def __init__(self, clock: _Clock, *, rate: float, capacity: int) -> None:
        self._clock, self._rate, self._capacity = clock, rate, capacity
        self._tokens, self._filled_at = float(capacity), 0.0

    def enter(self) -> None:
        self._fill()
        if self._tokens < 1.0:
            self._clock.sleep((1.0 - self._tokens) / self._rate)
            self._fill()
        self._tokens -= 1.0

    def _fill(self) -> None:
        now = self._clock.seconds
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now


def main() -> None:
    print(
        f"{SYMBOLS} stocks, {SESSIONS} sessions of minutes; goal: {GOAL_MINUTES:.0f} minutes, {ALLOWED} calls in 60 s"
    )
    for label, density in DENSITIES.items():
        _report(f"{label}, sliding log", _calls(density), _sliding)
    _report("749 minutes a session, one retry in 50 calls", _calls(749) * (EVERY_RETRY + 1) // EVERY_RETRY, _sliding)
    _report("567 calls (870 bars a session), sliding log", 567, _sliding)
    _report(
        "567 calls, token bucket of 5 refilled at 5/min", 567, lambda clock: _bucket(clock, per_minute=5, capacity=5)
    )
    _report(
        "567 calls, token bucket of 1 refilled at 4/min", 567, lambda clock: _bucket(clock, per_minute=4, capacity=1)
    )


def _calls(density: int) -> int:
    later = LIMIT // density
    return SYMBOLS * (1 + ceil((SESSIONS - FIRST_WINDOW) / later))


def _sliding(clock: _Clock) -> Callable[[], object]:
    gate = LocalGate(
        host="vendor", pace=pace_of(ALLOWED), breaker=Breaker(), sleep=clock.sleep, monotonic=clock.monotonic
    )
    return gate.enter


def _bucket(clock: _Clock, *, per_minute: float, capacity: int) -> Callable[[], object]:
    return _TokenBucket(clock, rate=per_minute / 60.0, capacity=capacity).enter


def _report(label: str, calls: int, build: Callable[[_Clock], Callable[[], object]]) -> None:
    clock = _Clock()
    enter, sends = build(clock), list[float]()
    for _ in range(calls):
        enter()
        sends.append(clock.seconds)
        clock.seconds += ANSWER_S
    most = max(bisect_left(sends, sent + 60.0) - place for place, sent in enumerate(sends))
    minutes = clock.seconds / 60.0
    verdict = "ok" if most <= ALLOWED and minutes <= GOAL_MINUTES else "misses the goal"
    print(f"{label:72} {calls:4} calls {minutes:7.1f} min, at most {most:2} calls in 60 s  {verdict}")


if __name__ == "__main__":
    main()
