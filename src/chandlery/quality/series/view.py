"""What a series rule may look at: one instrument and timeframe, with every witness the warehouse has of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar, cast

import polars as pl

from chandlery.market.actions import Action
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.calendar import ZONES
from chandlery.market.session_exceptions import SessionException
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.thresholds import NO_OVERRIDES, Threshold

SESSION_BARS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "session": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Float64,
    "bars": pl.Int64,
}
"""One row a session, ascending: the session as another timeframe or source has it. `bars`: rolled-up minutes, or 1."""

REVISION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "reason": pl.String,
    "known_from": TS,
    "old_close": pl.Float64,
    "new_close": pl.Float64,
    "old_volume": pl.Float64,
    "new_volume": pl.Float64,
}
"""One row a version of a bar that replaced another (reasons of `market/revisions.py`), ascending by ts, known_from."""

SISTERS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "session": pl.Date,
    "median_return": pl.Float64,
    "instruments": pl.Int64,
    "median_low": pl.Float64,
    "median_high": pl.Float64,
}
"""One row a session, ascending: medians over the other instruments of close, low and high over the close before, less
1, and how many they are. Low and high are null where fewer than three are known, and may be left out."""

Built = TypeVar("Built")


def _no(schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(schema))


@dataclass(frozen=True)
class SeriesView:
    """One published series and what else is known of it.

    Attributes:
        instrument: whose bars.
        timeframe: 1m or 1d.
        start: first session to judge; what a rule finds before it, or from `end` on, is dropped by the judge.
        end: the session after the last one to judge.
        bars: `BAR_SCHEMA`, ascending and unique by ts, finite; with up to `LOOKBACK` sessions before `start` and the
            sessions after `end` that are there (a few), so that persistence can be seen.
        sessions: the calendar over the whole of `bars` and of `[start, end)`, in `SESSION_SCHEMA`.
        asked: sessions that a finished window asked the source for (Date series, ascending); others may be absent.
        actions: the judged corporate actions as of now, all statuses.
        other: for 1m the source's day bars, for 1d the roll-up of the regular minutes; empty when there are none.
        other_extended: for 1d the roll-up of all minutes from `pre_open` to `post_close`; empty when there are none.
        witnesses: sessions as other sources have them, on this series' share basis, by source.
        sisters: what the other instruments of the calendar did, in `SISTERS_SCHEMA`. Empty when fewer than three.
        revisions: versions that replaced others inside `[start, end)`.
        held: instants of bars in quarantine.
        exceptions: halts and other exceptions of the venue or the instrument.
        renames: dates from which the instrument has another ticker.
        listed_on: first session it can have bars; None when unknown.
        delisted_on: the day after the last; None when unknown.
        is_split_adjusted: the publisher divided by the splits it records, so that a recorded split must show no jump;
            otherwise bars are as traded and it must.
        overrides: thresholds that are not at their default.
    """

    instrument: Instrument
    timeframe: Timeframe
    start: date
    end: date
    bars: pl.DataFrame
    sessions: pl.DataFrame
    asked: pl.Series
    actions: tuple[Action, ...] = ()
    other: pl.DataFrame = field(default_factory=lambda: _no(SESSION_BARS_SCHEMA))
    other_extended: pl.DataFrame = field(default_factory=lambda: _no(SESSION_BARS_SCHEMA))
    witnesses: Mapping[str, pl.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    sisters: pl.DataFrame = field(default_factory=lambda: _no(SISTERS_SCHEMA))
    revisions: pl.DataFrame = field(default_factory=lambda: _no(REVISION_SCHEMA))
    held: tuple[datetime, ...] = ()
    exceptions: tuple[SessionException, ...] = ()
    renames: tuple[date, ...] = ()
    listed_on: date | None = None
    delisted_on: date | None = None
    is_split_adjusted: bool = False
    overrides: Mapping[str, float] = field(default_factory=lambda: NO_OVERRIDES)
    _built: dict[Callable[["SeriesView"], object], object] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def zone(self) -> str:
        """The exchange's time zone."""
        return ZONES[self.instrument.calendar]

    @property
    def never_closes(self) -> bool:
        """Whether every instant lies in a session."""
        return self.instrument.calendar == "24/7"

    @property
    def has_volume(self) -> bool:
        """Whether volume means trades; an index publishes none."""
        return self.instrument.asset_class in {AssetClass.STOCKS, AssetClass.CRYPTO}

    def value(self, threshold: Threshold) -> float:
        """Return the threshold as set."""
        return threshold.of(self.overrides)

    def session_date(self, column: str = "ts") -> pl.Expr:
        """Exchange-local date of `column`."""
        return pl.col(column).dt.convert_time_zone(self.zone).dt.date()

    def once(self, build: Callable[["SeriesView"], Built]) -> Built:
        """Return `build` of this view, a module's function, built the first time: several rules ask for the same."""
        if build not in self._built:
            self._built[build] = build(self)
        return cast("Built", self._built[build])

    @cached_property
    def marked(self) -> pl.DataFrame:
        """`bars` with `session`, `is_session` (of the calendar), `is_regular` and `minute` (minutes since the open).

        Day bars are regular, their minute is 0. Bars off the calendar have null minute.
        """
        hours = self.sessions.select("session", "open", "close")
        placed = self.bars.with_columns(session=self.session_date()).join(
            hours.rename({"open": "opens_at", "close": "closes_at"}),
            on="session",
            how="left",
            maintain_order="left",
        )
        known = pl.col("opens_at").is_not_null()
        if self.timeframe is Timeframe.D1:
            marks = [known.alias("is_regular"), pl.when(known).then(0).cast(pl.Int32).alias("minute")]
        else:
            inside = (pl.col("ts") >= pl.col("opens_at")) & (pl.col("ts") < pl.col("closes_at"))
            since = (pl.col("ts") - pl.col("opens_at")).dt.total_minutes().cast(pl.Int32)
            marks = [inside.fill_null(value=False).alias("is_regular"), since.alias("minute")]
        return placed.with_columns(known.alias("is_session"), *marks).select(
            *BAR_SCHEMA, "session", "is_session", "is_regular", "minute"
        )

    @cached_property
    def asked_sessions(self) -> pl.DataFrame:
        """The sessions of `[start, end)` that were asked for and on which the instrument was listed, ascending."""
        day = pl.col("session")
        listed = pl.lit(value=True)
        if self.listed_on is not None:
            listed &= day >= self.listed_on
        if self.delisted_on is not None:
            listed &= day < self.delisted_on
        return self.sessions.filter(
            (day >= self.start) & (day < self.end) & day.is_in(self.asked.implode()) & listed
        ).sort("session")


LOOKBACK = 60
"""Sessions of history a day rule may want; minute rules want 20."""
LOOKBACK_MINUTES = 20
"""Sessions of history a minute rule may want."""
REACH = 5
"""Bars after a hit that tell whether a level persists; so many sessions after a changed one are judged again."""
