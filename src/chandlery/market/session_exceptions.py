"""Exceptions: what no calendar library knows, told by a person or a source with its evidence.

| kind          | means                                                     | changes the sessions        |
|---------------|-----------------------------------------------------------|-----------------------------|
| `closure`     | closed for whole sessions (mourning, storm)               | they vanish                 |
| `early_close` | trading ended at `starts_at`                              | `close` comes forward       |
| `late_open`   | trading began at `ends_at`                                | `open` moves back           |
| `halt`        | trading stopped inside a session, of one symbol or of all | no; listed for the judges   |

Only exceptions of the whole venue change sessions; one of an instrument stays a note about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.bars import TS


class ExceptionKind(StrEnum):
    """What happened."""

    HALT = "halt"
    CLOSURE = "closure"
    EARLY_CLOSE = "early_close"
    LATE_OPEN = "late_open"


@dataclass(frozen=True, slots=True)
class SessionException:
    """One interval `[starts_at, ends_at)` in which a venue, or one instrument, did not trade as usual.

    Raises:
        InvalidInput: unless both ends have a zone and the end comes after the start, or without a reason.
    """

    calendar: str
    kind: ExceptionKind
    starts_at: datetime
    ends_at: datetime
    reason: str
    instrument_id: int | None = None

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise InvalidInput(
                f"A {self.kind.value} from {self.starts_at} to {self.ends_at} has no time zone; add one."
            )
        if not self.starts_at < self.ends_at:
            raise InvalidInput(
                f"A {self.kind.value} was to last from {self.starts_at} to {self.ends_at}; the end is exclusive and "
                "must come after the start."
            )
        if not self.reason.strip():
            raise InvalidInput(f"A {self.kind.value} without a reason helps nobody; say what happened.")

    @property
    def moves_sessions(self) -> bool:
        """Whether it changes the venue's sessions, and is not a note about one symbol or a pause inside a session."""
        return self.instrument_id is None and self.kind is not ExceptionKind.HALT


def days_of(item: SessionException, zone: str) -> tuple[date, date]:
    """Return the local days `[first, last)` an exception lies in."""
    ends = item.ends_at - timedelta(microseconds=1)
    first, last = (moment.astimezone(ZoneInfo(zone)).date() for moment in (item.starts_at, ends))
    return first, last + timedelta(days=1)


def apply_exceptions(hours: pl.DataFrame, exceptions: Sequence[SessionException]) -> pl.DataFrame:
    """Return the hours (columns `session`, `open`, `close`, ...) as the exceptions of the venue leave them."""
    for item in exceptions:
        if not item.moves_sessions:
            continue
        starts, ends = (pl.lit(end.astimezone(UTC)).cast(TS) for end in (item.starts_at, item.ends_at))
        if item.kind is ExceptionKind.CLOSURE:
            hours = hours.filter(~((starts <= pl.col("open")) & (pl.col("close") <= ends)))
        elif item.kind is ExceptionKind.EARLY_CLOSE:
            cut = (pl.col("open") < starts) & (starts < pl.col("close"))
            hours = hours.with_columns(close=pl.when(cut).then(starts).otherwise(pl.col("close")))
        else:
            cut = (pl.col("open") < ends) & (ends < pl.col("close"))
            hours = hours.with_columns(open=pl.when(cut).then(ends).otherwise(pl.col("open")))
    return hours


def touches(item: SessionException, hours: pl.DataFrame) -> bool:
    """Whether applying the exception changes any of the hours."""
    return not apply_exceptions(hours, [item]).equals(hours)
