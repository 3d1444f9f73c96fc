"""Aggregates: a tape's bars as the vendor's JSON, adjusted for splits at the moment of asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import orjson
import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import Split
from chandlery.sources.sessions import local_midnight
from chandlery.sources.standin.queries import BarsQuery
from chandlery.sources.tapes.tape import Tape

_FIELDS = {
    "v": "volume",
    "vw": "vwap",
    "o": "open",
    "c": "close",
    "h": "high",
    "l": "low",
    "t": "t",
    "n": "trade_count",
}
_PRICES = ("open", "high", "low", "close", "vwap")


@dataclass(frozen=True, slots=True)
class BarsPage:
    """One page of aggregates."""

    results: bytes
    """JSON array of rows, `[]` if empty."""
    count: int
    next_t: int | None
    """`t` of the first row left out, in the order asked for; None if the window is exhausted."""


class Aggregates:
    """Pages of bars from a tape; frames with their times in ms are kept once read."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._frames: dict[tuple[str, Timeframe], pl.DataFrame] = {}

    def page(self, query: BarsQuery, *, page_limit: int) -> BarsPage:
        """Return the first rows of the window, at most `min(query.limit, page_limit)`."""
        frame = self._frame(query.symbol, query.timeframe)
        first, last = (frame["t"].search_sorted(t, side="left") for t in (query.start, query.end))
        size = min(query.limit, page_limit)
        count = min(size, last - first)
        if query.is_descending:
            rows = frame.slice(last - count, count).reverse()
            following = frame["t"][last - count - 1] if count < last - first else None
        else:
            rows = frame.slice(first, count)
            following = frame["t"][first + count] if count < last - first else None
        if query.is_adjusted:
            rows = adjusted(rows, self._tape.splits(query.symbol))
        return BarsPage(_to_json(rows), count, following)

    def source(self, query: BarsQuery) -> str:
        """Return who published the bars asked for."""
        return self._tape.source(query.symbol, query.timeframe)

    def _frame(self, symbol: str, timeframe: Timeframe) -> pl.DataFrame:
        key = (symbol, timeframe)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._tape.bars(symbol, timeframe).with_columns(t=pl.col("ts").dt.epoch("ms")).set_sorted("t")
            if frame.height:
                self._frames[key] = frame
        return frame


def adjusted(rows: pl.DataFrame, splits: Sequence[Split]) -> pl.DataFrame:
    """Return rows on today's share basis: prices times `split_from / split_to`, volume times the inverse.

    A split touches the sessions before its execution date; the pre-market of that date already trades on the
    new basis. Whole numbers are multiplied first and divided once, so a ratio like 3:2 adds one rounding.

    Args:
        rows: bars with `t` in ms.
        splits: of this symbol.
    """
    if not splits:
        return rows
    ordered = sorted(splits, key=lambda split: split.execution_date)
    shares_from, shares_to = pl.lit(1.0), pl.lit(1.0)
    for place in range(len(ordered) - 1, -1, -1):
        is_before = pl.col("t") < local_midnight(ordered[place].execution_date, ordered[place].symbol)
        later = ordered[place:]
        shares_from = pl.when(is_before).then(float(prod(split.split_from for split in later))).otherwise(shares_from)
        shares_to = pl.when(is_before).then(float(prod(split.split_to for split in later))).otherwise(shares_to)
    return rows.with_columns(
        *(pl.col(name) * shares_from / shares_to for name in _PRICES),
        pl.col("volume") * shares_to / shares_from,
    )


def _to_json(rows: pl.DataFrame) -> bytes:
    # The vendor leaves vw and n out where it has none; a column without any value costs nothing to drop.
    names = {key: name for key, name in _FIELDS.items() if rows[name].null_count() < rows.height}
    shown = rows.select(pl.col(name).alias(key) for key, name in names.items())
    optional = [key for key in ("vw", "n") if key in shown.columns and shown[key].null_count()]
    if not optional:
        return shown.write_json().encode() if rows.height else b"[]"
    return orjson.dumps(
        [
            {key: value for key, value in row.items() if value is not None or key not in optional}
            for row in shown.to_dicts()
        ]
    )
