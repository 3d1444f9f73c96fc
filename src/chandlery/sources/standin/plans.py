"""Plans: what a subscription allows, as the vendor sells it (October 2026)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Refusal(StrEnum):
    """The three shapes in which the vendor says that a plan does not cover a request."""

    MESSAGE = "message"
    """HTTP 403, status NOT_AUTHORIZED, words in `message`."""
    ERROR = "error"
    """HTTP 403, status ERROR, words in `error`."""
    BODY = "body"
    """HTTP 200, status NOT_AUTHORIZED in the body."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits of one subscription."""

    name: str
    calls_per_minute: int | None = None
    """In any 60 seconds, refused calls included; None: unlimited. Flat files do not count."""
    history: timedelta | None = None
    """How far back data may be asked for; None: to the beginning."""
    delay: timedelta = timedelta()
    """Bars that ended within it are withheld; with any delay the status is DELAYED."""
    end_of_day_only: bool = False
    """A session may be asked for once it is closed, not before."""
    has_csv: bool = True
    has_flat_files: bool = True
    refusal: Refusal = Refusal.MESSAGE


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            "basic",
            calls_per_minute=5,
            # Two calendar years, the leap day included.
            history=timedelta(days=731),
            end_of_day_only=True,
            has_csv=False,
            has_flat_files=False,
        ),
        Plan("starter", delay=timedelta(minutes=15)),
        Plan("advanced"),
    )
}
