"""The circuit breaker: after so many failures in a row nobody is sent, until one probe has found the provider back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chandlery.errors import Unavailable
from chandlery.sources.gate import Outcome
from chandlery.sources.ledger import Sheet


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed, open for `open_s` after `failures` times `unavailable` in a row, then half open for one probe.

    Its state lies on the sheet: `opened_at` null is closed. A probe that has not been settled `probe_s` after it was to
    leave is taken for dead (its process was killed), and the next caller becomes the probe.
    """

    failures: int = 5
    open_s: float = 60.0
    probe_s: float = 120.0

    def admit(self, sheet: Sheet, *, host: str, probe: datetime | None) -> bool:
        """Return whether the caller is the probe; False while the circuit is closed.

        Args:
            sheet: the state.
            host: named in messages.
            probe: `probe_at` of the sheet, if the caller has been made the probe before.

        Raises:
            Unavailable: the circuit is open, or another caller is the probe.
        """
        if sheet.opened_at is None:
            return False
        until = sheet.opened_at + timedelta(seconds=self.open_s)
        found = (
            f"{host} was to be asked and nothing was sent: {sheet.failures} requests in a row found it unavailable, "
        )
        if sheet.now < until:
            raise Unavailable(f"{found}so the circuit is open until {until:%Y-%m-%d %H:%M:%SZ}. Try again then.")
        if sheet.probe_at is not None and sheet.probe_at != probe:
            dead = sheet.probe_at + timedelta(seconds=self.probe_s)
            if sheet.now < dead:
                raise Unavailable(
                    f"{found}and one other request is on its way to find out whether it is back. Try again after "
                    f"{dead:%Y-%m-%d %H:%M:%SZ} at the latest."
                )
        return True

    def settle(self, sheet: Sheet, outcome: Outcome) -> None:
        """Write down what an outcome means for the circuit."""
        if outcome == "unavailable":
            self._count_failure(sheet)
        elif outcome == "ok" or self._is_half_open(sheet):
            # Refusals and rate limits close it as well once it is half open: the provider answers again.
            sheet.failures, sheet.opened_at, sheet.probe_at = 0, None, None

    def _count_failure(self, sheet: Sheet) -> None:
        sheet.failures += 1
        if self._is_half_open(sheet) or (sheet.opened_at is None and sheet.failures >= self.failures):
            sheet.opened_at, sheet.probe_at = sheet.now, None

    def _is_half_open(self, sheet: Sheet) -> bool:
        return sheet.opened_at is not None and sheet.now >= sheet.opened_at + timedelta(seconds=self.open_s)
