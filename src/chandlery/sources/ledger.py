"""The ledger of a gate: where the state lies that callers share, and who holds it."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from chandlery.sources.gate import Sent


class Sheet(Protocol):
    """The state of one gate at one moment of the ledger's own clock."""

    now: datetime
    sends: list[datetime]
    """Slots of the last requests, ascending; those of callers that still wait lie in the future."""
    failures: int
    """How often in a row the provider was found unavailable."""
    opened_at: datetime | None
    """Since when the circuit is open; None: closed."""
    probe_at: datetime | None
    """When the probe was to leave; None: there is none."""


class Ledger(Protocol):
    """Keeps one sheet. All callers of one gate must see one ledger and so one clock."""

    def hold(self, sent: Sent | None = None) -> AbstractContextManager[Sheet]:
        """Hold the sheet alone; what was changed is kept on leaving, nothing if an error leaves.

        Args:
            sent: a finished request to write into the log with it.
        """
        ...

    def read(self) -> Sheet:
        """Return the sheet as it stands; changing it has no effect."""
        ...
