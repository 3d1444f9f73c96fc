"""Panel: the bars of one symbol as arrays, checked once and hashed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.errors import InvalidInput, ResearchError
from chandlery.strategies.expressions import TIME_PARTS

FIELDS = ("open", "high", "low", "close", "volume")
"""Rows of `Panel.ohlcv`."""

Bars = TypeVar("Bars")
"""The kind of panel that is opened."""

_PARTS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "year": lambda local: local.dt.year(),
    "month": lambda local: local.dt.month(),
    "dayofmonth": lambda local: local.dt.day(),
    "hour": lambda local: local.dt.hour(),
    "minute": lambda local: local.dt.minute(),
}

_DERIVED: dict[str, Callable[["Panel"], NDArray[np.float64]]] = {
    "hl2": lambda panel: (panel.field("high") + panel.field("low")) / 2.0,
    "hlc3": lambda panel: (panel.field("high") + panel.field("low") + panel.field("close")) / 3.0,
    "ohlc4": lambda panel: (
        (panel.field("open") + panel.field("high") + panel.field("low") + panel.field("close")) / 4.0
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Bars of one symbol and timeframe, in time order.

    `ts` int64 `[n]`: bar opens, microseconds since the epoch, UTC, strictly rising. `ohlcv` float64 `[5, n]` in
    the order of `FIELDS`: prices finite and above 0, volume finite and not negative. Both are made read-only.
    `timezone` is the one in which the parts of a bar's time are read (`Series("hour")`): the exchange's for bars
    within a day, UTC for daily bars stamped with midnight UTC. Nothing is filled or repaired here; whether highs
    cover bodies is the quality room's question.

    Raises:
        InvalidInput: naming the first bar that breaks a rule, and what to do.
    """

    symbol: str
    timeframe: str
    ts: NDArray[np.int64]
    ohlcv: NDArray[np.float64]
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        ts = np.ascontiguousarray(self.ts, dtype=np.int64).copy()
        ohlcv = np.ascontiguousarray(self.ohlcv, dtype=np.float64).copy()
        _check_shape(self.symbol, ts, ohlcv)
        check_times(self.symbol, ts)
        _check_values(self.symbol, ts, ohlcv)
        ts.flags.writeable = False
        ohlcv.flags.writeable = False
        object.__setattr__(self, "ts", ts)
        object.__setattr__(self, "ohlcv", ohlcv)

    @classmethod
    def from_bars(cls, bars: pl.DataFrame, *, symbol: str, timeframe: str, timezone: str = "UTC") -> "Panel":
        """Return the panel of a bar frame (`chandlery.market.bars.BAR_SCHEMA`; further columns are ignored).

        Raises:
            InvalidInput: for missing columns, nulls or bars that break a rule of `Panel`.
        """
        if missing := [name for name in ("ts", *FIELDS) if name not in bars.columns]:
            raise InvalidInput(f"Bars of {symbol} lack the columns {', '.join(missing)}.")
        if bars["ts"].null_count():
            raise InvalidInput(f"Bars of {symbol} hold a bar without ts; drop or repair it.")
        stamps = bars["ts"].cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()
        values = np.stack([bars[name].cast(pl.Float64).to_numpy() for name in FIELDS])
        return cls(symbol, timeframe, stamps, values, timezone)

    @classmethod
    def opened(
        cls, symbol: str, timeframe: str, ts: NDArray[np.int64], ohlcv: NDArray[np.float64], timezone: str
    ) -> "Panel":
        """Return the panel of arrays that were checked when they were published; they are kept, not copied."""
        return unchecked(cls, symbol=symbol, timeframe=timeframe, ts=ts, ohlcv=ohlcv, timezone=timezone)

    @property
    def bars(self) -> int:
        """Number of bars."""
        return int(self.ts.size)

    @property
    def panel_id(self) -> str:
        """Sha256 over symbol, timeframe, times and values, 64 hex digits: equal inputs, equal id."""
        digest = hashlib.sha256(f"{self.symbol}\n{self.timeframe}\n{self.bars}\n{self.timezone}\n".encode())
        digest.update(self.ts.astype("<i8", copy=False).data)
        digest.update(self.ohlcv.astype("<f8", copy=False).data)
        return digest.hexdigest()

    def field(self, name: str) -> NDArray[np.float64]:
        """Return one row of `ohlcv`, read-only."""
        row: NDArray[np.float64] = self.ohlcv[FIELDS.index(name)]
        return row

    def source(self, name: str) -> NDArray[np.float64]:
        """Return the values of a `Series` node: a field, hl2, hlc3, ohlc4 or a part of the time of the open."""
        if name in TIME_PARTS:
            return time_part(self.ts, self.timezone, name)
        return _DERIVED[name](self) if name in _DERIVED else self.field(name)

    def head(self, bars: int) -> "Panel":
        """Return the panel of the first `bars` bars."""
        return Panel(self.symbol, self.timeframe, self.ts[:bars], self.ohlcv[:, :bars], self.timezone)


def time_part(ts: NDArray[np.int64], timezone: str, name: str) -> NDArray[np.float64]:
    """Return a part of each time (`TIME_PARTS`) in the time zone."""
    local = pl.from_epoch(pl.Series(ts), "us").dt.replace_time_zone("UTC").dt.convert_time_zone(timezone)
    # polars counts weekdays from Monday, 1; the week here begins on Sunday, 1.
    part = local.dt.weekday().cast(pl.Int64) % 7 + 1 if name == "dayofweek" else _PARTS[name](local)
    return part.cast(pl.Float64).to_numpy()


def unchecked(kind: type[Bars], **values: object) -> Bars:
    """Return a frozen value of fields that were checked before, without checking or copying them."""
    made = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def require_bars(panel: Panel, warmup: int) -> None:
    """Refuse a panel on which not one order could fill: the first decision needs `warmup` bars, the fill one more.

    Raises:
        ResearchError: saying how many bars there are and how many it takes.
    """
    needed = warmup + 2
    if panel.bars < needed:
        raise ResearchError(
            f"{panel.symbol} {panel.timeframe} has {panel.bars} bars and these parameters need {needed} "
            f"({warmup} to warm up, a decision, a fill); take a longer period or shorter lengths."
        )


def _check_shape(symbol: str, ts: NDArray[np.int64], ohlcv: NDArray[np.float64]) -> None:
    if ts.ndim != 1 or ohlcv.shape != (len(FIELDS), ts.size):
        raise InvalidInput(f"Panel of {symbol}: ts was {ts.shape}, ohlcv {ohlcv.shape}; they are [n] and [5, n].")
    if ts.size < 2:
        raise InvalidInput(f"Panel of {symbol} has {ts.size} bars; at least 2 are needed. Widen the period.")


def check_times(symbol: str, ts: NDArray[np.int64]) -> None:
    """Refuse times that are not strictly rising.

    Raises:
        InvalidInput: naming the first bar that repeats a time or goes back.
    """
    steps = np.diff(ts)
    if (steps == 0).any():
        at = int(np.flatnonzero(steps == 0)[0]) + 1
        raise InvalidInput(f"Panel of {symbol}: bar {at} repeats the time {_when(ts[at])}; keep one bar per time.")
    if (steps < 0).any():
        at = int(np.flatnonzero(steps < 0)[0]) + 1
        raise InvalidInput(f"Panel of {symbol}: bar {at} at {_when(ts[at])} goes back in time; sort the bars by ts.")


def _check_values(symbol: str, ts: NDArray[np.int64], ohlcv: NDArray[np.float64]) -> None:
    for index, name in enumerate(FIELDS):
        values = ohlcv[index]
        sound = np.isfinite(values) & (values >= 0.0 if name == "volume" else values > 0.0)
        if not sound.all():
            at = int(np.flatnonzero(~sound)[0])
            rule = "finite and not negative" if name == "volume" else "finite and above 0"
            raise InvalidInput(
                f"Panel of {symbol}: {name} of bar {at} at {_when(ts[at])} was {values[at]}; it must be {rule}. "
                "Run the quality gate, or leave the bar out."
            )


def _when(stamp: np.int64) -> str:
    return f"{np.datetime64(int(stamp), 'us')}Z"
