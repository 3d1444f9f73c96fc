"""What a venue rule may look at: the sessions of every tracked instrument of one calendar and timeframe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from chandlery.market.bars import TS
from chandlery.market.session_exceptions import SessionException
from chandlery.market.timeframes import Timeframe
from chandlery.quality.thresholds import NO_OVERRIDES, Threshold

MEMBER_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "instrument_id": pl.Int64,
    "symbol": pl.String,
    "listed_on": pl.Date,
    "delisted_on": pl.Date,
    "tracked_from": TS,
    "ends_on": pl.Date,
}
"""One tracked instrument. `ends_on`: the last session its source can have (a recording ends), null when it goes on."""

COUNT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "instrument_id": pl.Int64,
    "session": pl.Date,
    "bars": pl.Int64,
    "last_ts": TS,
    "known_from": TS,
}
"""Bars of one instrument and session; `known_from`: when the first of them was known."""

MISSING_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"instrument_id": pl.Int64, "ts": TS}
"""One regular minute an instrument that trades every minute has no bar for."""


@dataclass(frozen=True, slots=True, eq=False)
class VenueView:
    """All series of one calendar and timeframe over the sessions `[start, end)`.

    Attributes:
        calendar: NYSE or 24/7.
        timeframe: 1m or 1d.
        start: first session to judge.
        end: the session after the last one.
        now: the instant of judging.
        sessions: the calendar, in `SESSION_SCHEMA`, with 20 sessions before `start` and the next one after `now`.
        members: in `MEMBER_SCHEMA`.
        counts: in `COUNT_SCHEMA`, with 20 sessions before `start`.
        missing: in `MISSING_SCHEMA`, inside `[start, end)`.
        exceptions: halts and other exceptions of the venue.
        overrides: thresholds that are not at their default.
    """

    calendar: str
    timeframe: Timeframe
    start: date
    end: date
    now: datetime
    sessions: pl.DataFrame
    members: pl.DataFrame
    counts: pl.DataFrame
    missing: pl.DataFrame
    exceptions: tuple[SessionException, ...] = ()
    overrides: Mapping[str, float] = field(default_factory=lambda: NO_OVERRIDES)

    def value(self, threshold: Threshold) -> float:
        """Return the threshold as set."""
        return threshold.of(self.overrides)
