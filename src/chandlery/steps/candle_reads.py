"""Candles the marts do not hold: extended hours, clock alignment, adjusted, or as known at an earlier instant.

They are rolled up from the versions of bars at read time, by the same rules as the marts (`market.rollup` is their
independent twin, and a test holds the two together). Adjusted candles come from adjusted minutes, so a week that
crosses an ex-date is right as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.actions import Status
from chandlery.market.adjust import Adjustment, AdjustmentSpan, DividendMethod, adjust_bars, adjustment_table
from chandlery.market.calendar import ZONES
from chandlery.market.rollup import Alignment, Hours, roll_up
from chandlery.market.rollup_days import roll_up_days
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.actions import read_actions
from chandlery.store.history import Series, bars_as_of, sources_of
from chandlery.store.sessions import sessions_between
from chandlery.store.warehouse import Warehouse

_FIRST, _LAST = datetime(1960, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_A_WEEK = timedelta(days=8)
"""And a day: weeks begin at local midnight."""
_WITHOUT_VOLUME = frozenset({AssetClass.INDICES, AssetClass.FOREX})


@dataclass(frozen=True, slots=True)
class Variant:
    """How candles are to be made; the default is what the marts hold."""

    hours: Hours = "regular"
    alignment: Alignment = "session"
    adjusted: Adjustment = Adjustment.NONE
    dividends: DividendMethod | None = None
    adjusted_to: date | None = None
    as_of: datetime | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the marts hold it."""
        return self == Variant()

    def check(self, timeframe: Timeframe, basis: str) -> None:
        """Refuse what contradicts itself.

        Raises:
            InvalidInput: hours or alignment for day bars of the source; a dividend method without dividends, or a
                basis date without adjustment.
        """
        if self.dividends is not None and self.adjusted is not Adjustment.ALL:
            raise InvalidInput(
                f"A dividend method ({self.dividends}) was given with adjusted {self.adjusted}; it has a meaning with "
                "adjusted all only."
            )
        if self.adjusted_to is not None and self.adjusted is Adjustment.NONE:
            raise InvalidInput(
                f"Adjusted-to was {self.adjusted_to} with adjusted none; choose adjusted split or all, or leave it out."
            )
        if basis == "day" and (self.hours != "regular" or self.alignment != "session"):
            raise InvalidInput(
                f"Basis day was asked for with session {self.hours} and alignment {self.alignment}; the source's own "
                f"day bars have neither. Ask for {timeframe} with basis minutes."
            )


@dataclass(frozen=True, slots=True)
class CandleReader:
    """Rolls up one instrument's candles as one variant."""

    warehouse: Warehouse
    instrument: Instrument
    variant: Variant
    now: Callable[[], datetime]

    def from_minutes(self, timeframe: Timeframe, start: datetime | None, end: datetime | None) -> pl.DataFrame:
        """Return candles with `start <= ts < end` from minutes, ascending; empty where there are none."""
        minutes = self._bars(Timeframe.M1, *self._around(start, end))
        if minutes.is_empty():
            return self._shown(pl.DataFrame(), timeframe, "minutes")
        sessions = self._sessions(minutes)
        candles = roll_up(
            self._adjusted(minutes),
            sessions,
            timeframe,
            hours=self.variant.hours,
            alignment=self.variant.alignment,
            zone=self._zone.key,
            as_of=self._moment,
            counts_fillers=self.instrument.asset_class in _WITHOUT_VOLUME,
        )
        return self._shown(_between(candles, start, end), timeframe, "minutes")

    def from_days(self, timeframe: Timeframe, start: datetime | None, end: datetime | None) -> pl.DataFrame:
        """Return day bars of the source, or weeks of them, with `start <= ts < end`, ascending."""
        days = self._bars(Timeframe.D1, *self._around(start, end))
        if days.is_empty():
            return self._shown(pl.DataFrame(), timeframe, "day")
        candles = roll_up_days(
            self._adjusted(days), self._sessions(days), timeframe, zone=self._zone.key, as_of=self._moment
        )
        return self._shown(_between(candles, start, end), timeframe, "day")

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES[self.instrument.calendar])

    @property
    def _moment(self) -> datetime:
        return self.variant.as_of or self.now()

    def _around(self, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
        """Return the range widened to whole weeks, so that no candle at its edges is built from a part."""
        first = _FIRST if start is None or start < _FIRST else start - _A_WEEK
        last = _LAST if end is None or end > _LAST else end + _A_WEEK
        return first, last

    def _bars(self, timeframe: Timeframe, since: datetime, until: datetime) -> pl.DataFrame:
        return bars_as_of(self.warehouse, self._series(timeframe, since, until), self.variant.as_of)

    def _series(self, timeframe: Timeframe, since: datetime, until: datetime) -> Series:
        return Series(self.instrument.instrument_id, timeframe, since, until)

    def _sessions(self, bars: pl.DataFrame) -> pl.DataFrame:
        day = bars.select(pl.col("ts").dt.convert_time_zone(self._zone.key).dt.date())["ts"]
        first, last = day[0], day[-1]
        first, last = first - timedelta(days=first.weekday()), last + timedelta(days=7 - last.weekday())
        return sessions_between(self.warehouse, self.instrument.calendar, first, last)

    def _adjusted(self, bars: pl.DataFrame) -> pl.DataFrame:
        spans = self._spans()
        if not spans:
            return bars
        day = pl.col("ts").dt.convert_time_zone(self._zone.key).dt.date()
        return adjust_bars(bars.with_columns(day.alias("session")), spans).drop("session")

    def _spans(self) -> tuple[AdjustmentSpan, ...]:
        if self.variant.adjusted is Adjustment.NONE:
            return ()
        actions = read_actions(self.warehouse, self.instrument.instrument_id, as_of=self.variant.as_of)
        if not any(action.status is Status.ACCEPTED for action in actions):
            return ()  # the closes of the whole series are read only where something adjusts
        return adjustment_table(
            actions,
            self._closes(),
            kind=self.variant.adjusted,
            method=self.variant.dividends,
            basis=self.variant.adjusted_to,
        )

    def _closes(self) -> pl.DataFrame:
        """Return the raw close of every session: the source's day bar, else the last regular minute."""
        everything = self._around(None, None)
        plain = CandleReader(self.warehouse, self.instrument, Variant(as_of=self.variant.as_of), self.now)
        days = self._bars(Timeframe.D1, *everything)
        local = pl.col("ts").dt.convert_time_zone(self._zone.key).dt.date().alias("session")
        official = days.select(local, "close")
        rolled = plain.from_minutes(Timeframe.D1, None, None).select("session", "close")
        return pl.concat([official, rolled.join(official, on="session", how="anti")])

    def _shown(self, candles: pl.DataFrame, timeframe: Timeframe, basis: str) -> pl.DataFrame:
        if candles.is_empty():
            return pl.DataFrame(schema=CANDLE_SCHEMA)
        base = Timeframe.M1 if basis == "minutes" else Timeframe.D1
        source = sources_of(self.warehouse, self.instrument.instrument_id, base, self.variant.as_of)
        return candles.with_columns(
            symbol=pl.lit(self.instrument.symbol),
            timeframe=pl.lit(timeframe.value),
            basis=pl.lit(basis),
            quality_score=pl.lit(None, dtype=pl.Float64),
            source=pl.lit("+".join(source)),
        ).select(pl.col(name).cast(dtype) for name, dtype in CANDLE_SCHEMA.items())


CANDLE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "symbol": pl.String,
    "timeframe": pl.String,
    "basis": pl.String,
    "ts": pl.Datetime("us", "UTC"),
    "session": pl.Date,
    **dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), pl.Float64),
    "trade_count": pl.Int64,
    "bar_count": pl.Int64,
    "expected_count": pl.Int64,
    "is_final": pl.Boolean,
    "quality_score": pl.Float64,
    "source": pl.String,
}
"""Columns of a candle read; `quality_score` is null where candles are not the stored ones."""


def _between(candles: pl.DataFrame, start: datetime | None, end: datetime | None) -> pl.DataFrame:
    if start is not None:
        candles = candles.filter(pl.col("ts") >= start)
    if end is not None:
        candles = candles.filter(pl.col("ts") < end)
    return candles
