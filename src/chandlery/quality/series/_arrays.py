"""A view's bars as arrays: what the price rules compute with."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)
_COLUMNS = ("ts", "session", "minute", "open", "high", "low", "close", "volume", "is_regular")


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of one series, ascending: `ts` in microseconds, `session` in days since 1970, `minute` since the open."""

    ts: NDArray[np.int64]
    session: NDArray[np.int32]
    minute: NDArray[np.int32]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def ts_at(self, place: int) -> datetime:
        """Return the instant of one bar."""
        return instant(int(self.ts[place]))

    def session_at(self, place: int) -> date:
        """Return the session of one bar."""
        return _FIRST_DAY + timedelta(days=int(self.session[place]))

    def only(self, kept: Flags | Places) -> "Bars":
        """Return some of the bars."""
        return Bars(*(getattr(self, name)[kept] for name in self.__slots__))


def instant(microseconds: int) -> datetime:
    """Return microseconds since 1970 as UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def every_bar(view: SeriesView) -> Bars:
    """Return all bars of the view."""
    return _bars(view.marked.select(_COLUMNS))


def traded_bars(view: SeriesView) -> Bars:
    """Return the bars that stand for trades of the regular session.

    Extended hours are thin: a spread of 1 % between two trades is usual there and would alarm every day. A bar
    without volume and with one price stands for no trade, whatever price it repeats.
    """
    frame = view.marked.select(_COLUMNS)
    bars = _bars(frame)
    kept = frame["is_regular"].to_numpy()
    if view.has_volume:
        kept = kept & ~((bars.volume == 0) & (bars.high == bars.low))
    return bars if kept.all() else bars.only(kept)


def session_bars(view: SeriesView) -> Bars:
    """Return one bar a session of the calendar; of minutes, the roll-up of the regular ones, `ts` that of the first."""
    frame = view.marked.select(_COLUMNS)
    bars = _bars(frame)
    kept = frame["is_regular"].to_numpy()
    bars = bars if kept.all() else bars.only(kept)
    if view.timeframe is Timeframe.D1 or not len(bars):
        return bars
    starts = np.flatnonzero(np.diff(bars.session, prepend=bars.session[0] - 1))
    ends = np.append(starts[1:], len(bars)) - 1
    return Bars(
        bars.ts[starts],
        bars.session[starts],
        np.zeros(len(starts), dtype=np.int32),
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
        np.add.reduceat(bars.volume, starts),
    )


def first_ts(view: SeriesView, session: date) -> datetime:
    """Return the first bar of a session, extended hours included: a split holds from the pre-market on.

    The session must have a bar.
    """
    found: datetime = view.marked.filter(pl.col("session") == session)["ts"][0]
    return found


def _bars(frame: pl.DataFrame) -> Bars:
    return Bars(
        frame["ts"].to_physical().to_numpy(),
        frame["session"].to_physical().to_numpy(),
        frame["minute"].fill_null(0).to_numpy(),
        *(frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")),
    )
