"""Holdings: a tape and what was changed about it while the stand-in ran."""

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import Dividend, Split
from chandlery.sources.tapes.tape import Tape, TapeListing
from chandlery.sources.tapes.tickers import TickerProfile


class Holdings:
    """What the stand-in knows at this moment; every endpoint and every flat file is computed from it."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._frames: dict[tuple[str, Timeframe], pl.DataFrame] = {}
        self._splits: dict[str, tuple[Split, ...]] = {}
        self._dividends: dict[str, tuple[Dividend, ...]] = {}
        # Read once: every list of tickers or actions begins with them.
        self._listings = tape.symbols()
        self._profiles = tape.profiles()
        self.revision = 0
        """Grows with every change; what was computed under another number is stale."""

    def frame(self, symbol: str, timeframe: Timeframe) -> pl.DataFrame:
        """Return bars in `BAR_SCHEMA` and `t` (ms since the epoch), ascending; empty for unknown symbols."""
        key = (symbol, timeframe)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._tape.bars(symbol, timeframe).with_columns(t=pl.col("ts").dt.epoch("ms")).set_sorted("t")
            if frame.height:
                self._frames[key] = frame
        return frame

    def replace(self, symbol: str, timeframe: Timeframe, frame: pl.DataFrame) -> None:
        """Put another frame, ascending by `t`, in the place of a symbol's bars."""
        self._frames[symbol, timeframe] = frame.set_sorted("t")
        self.revision += 1

    def splits(self, symbol: str) -> tuple[Split, ...]:
        """Return the splits the provider lists now, ascending by date; wrong ones included."""
        if symbol not in self._splits:
            self._splits[symbol] = self._tape.splits(symbol)
        return self._splits[symbol]

    def add_split(self, split: Split) -> None:
        """List one more split; adjusted answers differ from now on."""
        listed = (*self.splits(split.symbol), split)
        self._splits[split.symbol] = tuple(sorted(listed, key=lambda row: row.execution_date))
        self.revision += 1

    def dividends(self, symbol: str) -> tuple[Dividend, ...]:
        """Return the cash dividends of a symbol, ascending by ex-date."""
        if symbol not in self._dividends:
            self._dividends[symbol] = self._tape.dividends(symbol)
        return self._dividends[symbol]

    def listings(self) -> tuple[TapeListing, ...]:
        """Return the symbols with bars, ascending."""
        return self._listings

    def profiles(self) -> tuple[TickerProfile, ...]:
        """Return every instrument, those without bars included."""
        return self._profiles

    def source(self, symbol: str, timeframe: Timeframe) -> str:
        """Return who published the bars."""
        return self._tape.source(symbol, timeframe)
