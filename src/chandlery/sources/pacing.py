"""Pacing: when one more request may leave, from a log of the last ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MINUTE_S = 60.0
_LARGEST_MARGIN_S = 0.5
_MARGIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `calls` requests in any `per_s` seconds, wherever those begin.

    A request is given a slot `per_s + margin_s` after the one `calls` before it and may leave up to `tolerance_s` after
    its slot, so real departures stay `per_s` apart. The other half of the margin is for the way to the provider: what
    left in time must not arrive early beside its predecessor.
    """

    calls: int
    per_s: float
    margin_s: float

    @property
    def tolerance_s(self) -> float:
        """How late after its slot a request may still leave."""
        return self.margin_s / 2.0

    def slot(self, sends: Sequence[datetime], now: datetime) -> datetime:
        """Return the first moment from `now` on at which one more request may leave; `sends` ascend."""
        if len(sends) < self.calls:
            return now
        return max(now, sends[-self.calls] + timedelta(seconds=self.per_s + self.margin_s))

    def kept(self, sends: Sequence[datetime]) -> list[datetime]:
        """Return as many of the last sends as the next slot depends on."""
        return list(sends[-self.calls :])


def pace_of(calls_per_minute: int) -> Pace:
    """Return the pace of a plan: by the minute up to 60, above by the second (rounded down), so the log stays short."""
    if calls_per_minute <= _MINUTE_S:
        return Pace(calls_per_minute, _MINUTE_S, _LARGEST_MARGIN_S)
    return Pace(int(calls_per_minute // _MINUTE_S), 1.0, _MARGIN_SHARE)
