"""Revisions: what a provider knows better later. They change the holdings and stay."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.sources.protocol import Split
from chandlery.sources.standin.faults.fault import Asked, Fault, UnfitFaultError
from chandlery.sources.standin.flat_files import asked_file, file_rows
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.queries import BadQueryError, read_bars_query

_NANOSECONDS = 1_000_000
_RANGE_PARTS = 9


@dataclass(frozen=True, slots=True)
class BarPlace:
    """Which bar is meant; what is not named is the middle bar of the range the request asks for."""

    symbol: str | None = None
    timeframe: Timeframe = Timeframe.M1
    t: int | None = None

    def __post_init__(self) -> None:
        """Refuse half a name.

        Raises:
            InvalidInput: unless symbol and t are both given or both left out, or for a timeframe that is no base.
        """
        if (self.symbol is None) != (self.t is None):
            raise InvalidInput("A bar was named by half; give symbol and t (ms), or neither to take the one asked for.")
        if self.timeframe not in BASE_TIMEFRAMES:
            raise InvalidInput(f"Timeframe was {self.timeframe}; the stand-in holds {' and '.join(BASE_TIMEFRAMES)}.")

    def find(self, holdings: Holdings, asked: Asked) -> tuple[str, Timeframe, int]:
        """Return symbol, timeframe and place in the frame.

        Raises:
            UnfitFaultError: if there is no such bar.
        """
        if self.symbol is None or self.t is None:
            return _middle(holdings, asked)
        frame = holdings.frame(self.symbol, self.timeframe)
        place = int(frame["t"].search_sorted(self.t, side="left"))
        if place >= frame.height or frame["t"][place] != self.t:
            raise UnfitFaultError(f"{self.symbol} has no {self.timeframe} bar at {self.t}")
        return self.symbol, self.timeframe, place


@dataclass(frozen=True, slots=True)
class BarChange:
    """Other values for one bar, or its withdrawal."""

    place: BarPlace
    price_factor: float = 1.0
    more_volume: float = 0.0
    more_trades: int = 0
    is_withdrawn: bool = False

    def apply(self, holdings: Holdings, asked: Asked) -> None:
        """Change the bar; high and low give way to the new close."""
        symbol, timeframe, place = self.place.find(holdings, asked)
        frame = holdings.frame(symbol, timeframe)
        if self.is_withdrawn:
            changed = pl.concat([frame.head(place), frame.slice(place + 1)])
        else:
            close = (pl.col("close") * self.price_factor).round(4)
            row = frame.slice(place, 1).with_columns(
                close.alias("close"),
                pl.max_horizontal("high", close).alias("high"),
                pl.min_horizontal("low", close).alias("low"),
                pl.col("volume") + self.more_volume,
                pl.col("trade_count") + self.more_trades,
            )
            changed = pl.concat([frame.head(place), row, frame.slice(place + 1)])
        holdings.replace(symbol, timeframe, changed)


@dataclass(frozen=True, slots=True)
class SplitAdded:
    """A split that was not listed before."""

    split: Split

    def apply(self, holdings: Holdings, _asked: Asked) -> None:
        """List it."""
        holdings.add_split(self.split)


@dataclass(frozen=True, slots=True)
class SplitDoubled:
    """The last split of a symbol a second time, some days earlier (SHOP 2022-06-22 and 06-29)."""

    symbol: str | None
    days_earlier: int

    def apply(self, holdings: Holdings, asked: Asked) -> None:
        """List the false one beside the true one."""
        symbol = self.symbol or asked.query.get("ticker", "")
        splits = holdings.splits(symbol)
        if not splits:
            raise UnfitFaultError(f"{symbol or 'the request'} has no split to be doubled")
        last = splits[-1]
        day = last.execution_date - timedelta(days=self.days_earlier)
        holdings.add_split(Split(symbol, day, last.split_from, last.split_to))


@dataclass(frozen=True, slots=True)
class FileReplaced:
    """A flat file that is published a second time with another volume in its first row."""

    more_volume: float

    def apply(self, holdings: Holdings, asked: Asked) -> None:
        """Change the first bar of the file asked for."""
        named = asked_file(asked.path)
        rows = pl.DataFrame() if named is None else file_rows(holdings, *named)
        if named is None or not rows.height:
            raise UnfitFaultError(f"{asked.path} is no flat file that exists")
        first = rows.row(0, named=True)
        place = BarPlace(first["ticker"], named[0], first["window_start"] // _NANOSECONDS)
        BarChange(place, more_volume=self.more_volume).apply(holdings, asked)


def bar_revised(
    *, symbol: str | None = None, timeframe: Timeframe = Timeframe.M1, t: int | None = None, factor: float = 1.001
) -> Fault:
    """Another close and 100 more shares in one bar, from now on."""
    return Fault(change=BarChange(BarPlace(symbol, timeframe, t), price_factor=factor, more_volume=100.0))


def bar_withdrawn(*, symbol: str | None = None, timeframe: Timeframe = Timeframe.M1, t: int | None = None) -> Fault:
    """One bar is no longer there."""
    return Fault(change=BarChange(BarPlace(symbol, timeframe, t), is_withdrawn=True))


def late_trade(
    *, symbol: str | None = None, timeframe: Timeframe = Timeframe.M1, t: int | None = None, size: float = 250.0
) -> Fault:
    """A trade reported late: more volume and one more trade in a bar that was out already."""
    return Fault(change=BarChange(BarPlace(symbol, timeframe, t), more_volume=size, more_trades=1))


def late_split(*, symbol: str, execution_date: date, split_from: int, split_to: int) -> Fault:
    """A split that is listed only from now on; adjusted answers change with it."""
    if not (symbol and split_from > 0 and split_to > 0):
        raise InvalidInput(f"A split of {symbol!r} was {split_from} to {split_to}; both must be at least 1.")
    return Fault(change=SplitAdded(Split(symbol, execution_date, split_from, split_to)))


def duplicate_split(*, symbol: str | None = None, days_earlier: int = 7) -> Fault:
    """The last split of a symbol is listed twice from now on; 0 days: the same row twice."""
    return Fault(change=SplitDoubled(symbol, days_earlier))


def flat_file_replaced(*, more_volume: float = 100.0) -> Fault:
    """The flat file asked for has other bytes and another ETag from now on."""
    return Fault(change=FileReplaced(more_volume))


def _middle(holdings: Holdings, asked: Asked) -> tuple[str, Timeframe, int]:
    parts = asked.path.strip("/").split("/")
    if len(parts) != _RANGE_PARTS or parts[:3] != ["v2", "aggs", "ticker"]:
        raise UnfitFaultError(f"{asked.path} asks for no range of bars; name the bar by symbol and t")
    names = {"ticker": parts[3], "multiplier": parts[5], "timespan": parts[6], "from": parts[7], "to": parts[8]}
    try:
        query = read_bars_query(names, asked.query)
    except BadQueryError as error:
        raise UnfitFaultError(str(error)) from error
    frame = holdings.frame(query.symbol, query.timeframe)
    first, last = (int(frame["t"].search_sorted(t, side="left")) for t in (query.start, query.end))
    if first >= last:
        raise UnfitFaultError(f"{asked.path} has no bar to be changed")
    return query.symbol, query.timeframe, (first + last) // 2
