"""MultiPanel: the bars of several symbols on one clock."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest.panel import FIELDS, Panel, check_times, time_part, unchecked
from chandlery.errors import InvalidInput


@dataclass(frozen=True, slots=True, eq=False)
class MultiPanel:
    """Bars of several symbols of one timeframe, aligned on the union of their times.

    `ts` int64 `[n]`: bar opens, microseconds since the epoch, UTC, strictly rising. `ohlcv` float64
    `[symbols, 5, n]`: NaN in all five fields where a symbol has no bar, else as in `Panel`. Both are made
    read-only. Nothing is filled here; `marks` carries closes forward, which is what a holding is worth meanwhile.

    Raises:
        InvalidInput: naming the first symbol and bar that break a rule, and what to do.
    """

    symbols: tuple[str, ...]
    timeframe: str
    ts: NDArray[np.int64]
    ohlcv: NDArray[np.float64]
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        ts = np.ascontiguousarray(self.ts, dtype=np.int64).copy()
        ohlcv = np.ascontiguousarray(self.ohlcv, dtype=np.float64).copy()
        object.__setattr__(self, "symbols", tuple(self.symbols))
        _check_symbols(self.symbols)
        if ts.ndim != 1 or ohlcv.shape != (len(self.symbols), len(FIELDS), ts.size):
            raise InvalidInput(f"Panel: ts was {ts.shape}, ohlcv {ohlcv.shape}; they are [n] and [symbols, 5, n].")
        check_times("+".join(self.symbols), ts)
        ts.flags.writeable = False
        ohlcv.flags.writeable = False
        object.__setattr__(self, "ts", ts)
        object.__setattr__(self, "ohlcv", ohlcv)
        for place in range(len(self.symbols)):
            self.panel(place)
        if (empty := ~self.traded.any(axis=0)).any():
            raise InvalidInput(f"Bar {int(np.flatnonzero(empty)[0])} of the panel is no symbol's; leave it out.")

    @classmethod
    def from_panels(cls, panels: Sequence[Panel]) -> "MultiPanel":
        """Return the panels of single symbols on the union of their times.

        Raises:
            InvalidInput: for fewer than two panels, a symbol given twice, or other timeframes or time zones.
        """
        _check_symbols(tuple(panel.symbol for panel in panels))
        first = panels[0]
        for panel in panels[1:]:
            if (panel.timeframe, panel.timezone) != (first.timeframe, first.timezone):
                raise InvalidInput(
                    f"{panel.symbol} is {panel.timeframe} {panel.timezone} and {first.symbol} {first.timeframe} "
                    f"{first.timezone}; panels share one timeframe and time zone."
                )
        ts = np.unique(np.concatenate([panel.ts for panel in panels]))
        ohlcv = np.full((len(panels), len(FIELDS), ts.size), np.nan)
        for place, panel in enumerate(panels):
            ohlcv[place][:, np.searchsorted(ts, panel.ts)] = panel.ohlcv
        return cls(tuple(panel.symbol for panel in panels), first.timeframe, ts, ohlcv, first.timezone)

    @classmethod
    def opened(
        cls,
        symbols: tuple[str, ...],
        timeframe: str,
        ts: NDArray[np.int64],
        ohlcv: NDArray[np.float64],
        timezone: str,
    ) -> "MultiPanel":
        """Return the panel of arrays that were checked when they were published; they are kept, not copied."""
        return unchecked(cls, symbols=symbols, timeframe=timeframe, ts=ts, ohlcv=ohlcv, timezone=timezone)

    @property
    def bars(self) -> int:
        """Number of bars of the clock."""
        return int(self.ts.size)

    @property
    def panel_id(self) -> str:
        """Sha256 over symbols, timeframe, times and values, 64 hex digits: equal inputs, equal id."""
        names = "\t".join(self.symbols)
        digest = hashlib.sha256(f"{names}\n{self.timeframe}\n{self.bars}\n{self.timezone}\n".encode())
        digest.update(self.ts.astype("<i8", copy=False).data)
        # Every NaN counts as the same one: which bits it has says nothing about the bars.
        for rows in self.ohlcv:
            digest.update(np.where(np.isnan(rows), np.nan, rows).astype("<f8", copy=False).data)
        return digest.hexdigest()

    @property
    def traded(self) -> NDArray[np.bool_]:
        """Bool `[symbols, n]`: where a symbol has a bar."""
        return ~np.isnan(self.field("close"))

    def field(self, name: str) -> NDArray[np.float64]:
        """Return one field of all symbols, float64 `[symbols, n]`, NaN where there is no bar."""
        rows: NDArray[np.float64] = self.ohlcv[:, FIELDS.index(name)]
        return rows

    def marks(self) -> NDArray[np.float64]:
        """Return the last close at each bar, float64 `[symbols, n]`; NaN before the first bar of a symbol."""
        last = np.maximum.accumulate(np.where(self.traded, np.arange(self.bars), 0), axis=1)
        return np.take_along_axis(self.field("close"), last, axis=1)

    def clock(self, name: str) -> NDArray[np.float64]:
        """Return a part of the time of every bar (`TIME_PARTS`)."""
        return time_part(self.ts, self.timezone, name)

    def source(self, place: int, name: str) -> NDArray[np.float64]:
        """Return a price series of one symbol (`PRICES`), float64 `[n]`, NaN where it has no bar."""
        one = Panel.opened(self.symbols[place], self.timeframe, self.ts, self.ohlcv[place], self.timezone)
        return one.source(name)

    def panel(self, place: int) -> Panel:
        """Return the bars of one symbol.

        Raises:
            InvalidInput: if they break a rule of `Panel`, such as a NaN inside a bar.
        """
        rows = self.ohlcv[place]
        traded = ~np.isnan(rows).all(axis=0)
        return Panel(self.symbols[place], self.timeframe, self.ts[traded], rows[:, traded], self.timezone)

    def head(self, bars: int) -> "MultiPanel":
        """Return the panel of the first `bars` bars."""
        return MultiPanel.opened(self.symbols, self.timeframe, self.ts[:bars], self.ohlcv[:, :, :bars], self.timezone)


def _check_symbols(symbols: tuple[str, ...]) -> None:
    if len(symbols) < 2:
        raise InvalidInput(f"A panel of several symbols was given {len(symbols)}; at least 2 are needed.")
    if len(set(symbols)) != len(symbols):
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        raise InvalidInput(f"Symbols were given twice: {', '.join(twice)}; keep one of each.")
