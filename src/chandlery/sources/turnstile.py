"""The turnstile: the gate's rules over a ledger, which decides who shares them."""

import time
from collections.abc import Callable
from datetime import datetime

from chandlery.errors import RateLimited
from chandlery.log import get_logger
from chandlery.sources.breaker import Breaker
from chandlery.sources.gate import Sent
from chandlery.sources.ledger import Ledger
from chandlery.sources.pacing import Pace

_log = get_logger(__name__)

_LONGEST_WAIT_S = 3600.0
"""A queue is never that long; a ledger whose clock was set back by a day is."""


class Turnstile:
    """A `Gate`: exact pace and circuit breaker over a ledger (contract: `sources.gate.Gate`).

    A caller reserves a slot while it holds the ledger, and sleeps without holding it. When it wakes, it asks the
    ledger's clock whether the slot is still fresh; one that a suspended process overslept is given up for a new one,
    because the callers behind it count on the slots that were reserved.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        host: str,
        pace: Pace,
        breaker: Breaker | None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._host = host
        self._pace = pace
        self._breaker = breaker
        self._sleep = sleep
        self._monotonic = monotonic

    def enter(self) -> float:
        """Wait until one more request may leave (see `Gate.enter`)."""
        waited, probe = 0.0, None
        while True:
            began = self._monotonic()
            slot, wait, is_probe = self._reserve(probe)
            probe = slot if is_probe else None
            if wait <= 0.0 and self._monotonic() - began <= self._pace.tolerance_s:
                return waited
            slept, is_fresh = self._wait(slot, wait, is_probe=is_probe)
            waited += slept
            if is_fresh:
                return waited
            _log.info("slot_given_up", host=self._host, slot=slot.isoformat())

    def report(self, sent: Sent) -> None:
        """Record what came of a request (see `Gate.report`)."""
        with self._ledger.hold(sent) as sheet:
            was_open = sheet.opened_at is not None
            if self._breaker is not None:
                self._breaker.settle(sheet, sent.outcome)
            is_open = sheet.opened_at is not None
        if is_open != was_open:
            _log.warning("circuit_opened" if is_open else "circuit_closed", host=self._host)

    def _reserve(self, probe: datetime | None) -> tuple[datetime, float, bool]:
        with self._ledger.hold() as sheet:
            is_probe = self._breaker is not None and self._breaker.admit(sheet, host=self._host, probe=probe)
            slot = self._pace.slot(sheet.sends, sheet.now)
            wait = (slot - sheet.now).total_seconds()
            if wait > _LONGEST_WAIT_S:
                raise RateLimited(
                    f"{self._host} was to be asked; its request log says not before {slot:%Y-%m-%d %H:%M:%SZ}. Either "
                    "hundreds of requests are waiting, or the clock was set back; stop what else uses the key."
                )
            sheet.sends = self._pace.kept([*sheet.sends, slot])
            if is_probe:
                sheet.probe_at = slot
        return slot, wait, is_probe

    def _wait(self, slot: datetime, wait: float, *, is_probe: bool) -> tuple[float, bool]:
        """Sleep until the slot and return the seconds, and whether the caller may leave now."""
        waited = 0.0
        while True:
            if wait > 0.0:
                self._sleep(wait)
                waited += wait
            wait, is_fresh = self._look(slot, is_probe=is_probe)
            if wait <= 0.0:
                return waited, is_fresh

    def _look(self, slot: datetime, *, is_probe: bool) -> tuple[float, bool]:
        """Return the seconds until the slot, and whether the caller may leave once there are none."""
        began = self._monotonic()
        sheet = self._ledger.read()
        early = (slot - sheet.now).total_seconds()
        late = self._monotonic() - began - early
        if is_probe and sheet.probe_at != slot:
            return early, False
        is_shut = sheet.opened_at is not None and not is_probe
        return early, not is_shut and late <= self._pace.tolerance_s
