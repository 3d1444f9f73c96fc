"""What an audit must know beside the bars."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.bars import check_range
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe


@dataclass(frozen=True, slots=True)
class AuditContext:
    """One batch: bars of one instrument and timeframe for the sessions `[start, end)`.

    Attributes:
        instrument: whose bars.
        timeframe: 1m or 1d, as declared.
        start: first session asked for.
        end: the session after the last one asked for.
        sessions: the calendar over that range in `SESSION_SCHEMA`; sessions outside it are ignored.

    Raises:
        InvalidInput: unless `start < end`.
    """

    instrument: Instrument
    timeframe: Timeframe
    start: date
    end: date
    sessions: pl.DataFrame

    def __post_init__(self) -> None:
        check_range(self.start, self.end)

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

    def local(self, column: str = "ts") -> pl.Expr:
        """`column` on the exchange's clock."""
        return pl.col(column).dt.convert_time_zone(self.zone)

    def session_date(self, column: str = "ts") -> pl.Expr:
        """Exchange-local date of `column`."""
        return self.local(column).dt.date()

    def asked_sessions(self) -> pl.DataFrame:
        """The sessions of `[start, end)`, ascending."""
        day = pl.col("session")
        return self.sessions.filter((day >= self.start) & (day < self.end)).sort("session")

    def first_instant(self) -> datetime:
        """Local midnight of `start`, in UTC; where a finding about no particular bar is put."""
        return self._midnight(self.start)

    def end_instant(self) -> datetime:
        """Local midnight of `end`, in UTC."""
        return self._midnight(self.end)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
