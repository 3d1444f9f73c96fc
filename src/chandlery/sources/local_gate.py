"""The gate of one process: its threads share pace and breaker, other processes have their own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chandlery import clock
from chandlery.sources.breaker import Breaker
from chandlery.sources.gate import Sent
from chandlery.sources.pacing import Pace
from chandlery.sources.turnstile import Turnstile


class OpenGate:
    """A `Gate` that lets everybody through at once and keeps nothing: for a stand-in of ours on this machine."""

    def enter(self) -> float:
        """Wait for nothing."""
        return 0.0

    def report(self, sent: Sent) -> None:
        """Keep nothing."""


@dataclass(slots=True)
class MemorySheet:
    """A sheet in memory (see `sources.ledger.Sheet`)."""

    now: datetime
    sends: list[datetime] = field(default_factory=list)
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None


class MemoryLedger:
    """A ledger in memory; its clock is the wall clock at its start, carried on by `monotonic`."""

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._origin = now() - timedelta(seconds=monotonic())
        self._sheet = MemorySheet(self._origin)

    @contextmanager
    def hold(self, sent: Sent | None = None) -> Iterator[MemorySheet]:  # noqa: ARG002 - a process keeps no log
        """Hold the sheet alone (see `Ledger.hold`); the finished request is not kept."""
        with self._lock:
            sheet = self._now()
            yield sheet
            self._sheet = sheet

    def read(self) -> MemorySheet:
        """Return a copy of the sheet."""
        with self._lock:
            return self._now()

    def _now(self) -> MemorySheet:
        now = self._origin + timedelta(seconds=self._monotonic())
        return replace(self._sheet, now=now, sends=list(self._sheet.sends))


class LocalGate(Turnstile):
    """A gate over memory; it keeps no request log beyond the log lines."""

    def __init__(
        self,
        *,
        host: str,
        pace: Pace,
        breaker: Breaker | None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        ledger = MemoryLedger(monotonic=monotonic, now=now)
        super().__init__(ledger, host=host, pace=pace, breaker=breaker, sleep=sleep, monotonic=monotonic)
