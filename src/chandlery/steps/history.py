"""What was revised, when and why: versions of bars as a user asks for them."""

from datetime import UTC, datetime, timedelta

import polars as pl

from chandlery.errors import NotFound
from chandlery.market.bars import check_range
from chandlery.market.symbols import parse_symbol
from chandlery.market.timeframes import parse_base_timeframe
from chandlery.store.history import Series, changes_between, versions
from chandlery.store.instants import settled_instant
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def find_changes(
    warehouse: Warehouse, symbol: str, timeframe: str, *, earlier: datetime, later: datetime | None
) -> pl.DataFrame:
    """Return how a series as known at `later` (None: now) differs from what was known at `earlier`, by `ts`.

    Columns as in `store.history.changes_between`; empty if nothing changed.

    Raises:
        InvalidInput: impossible symbol or timeframe, `earlier >= later`, an instant in the future.
        NotFound: unknown symbol.
    """
    series = _series(warehouse, symbol, timeframe, _FIRST, _LAST)
    # "Now" is the database's: its clock stamps the versions, and ours may be ahead of it.
    until = settled_instant(warehouse) if later is None else later
    check_range(earlier, until)
    return changes_between(warehouse, series, earlier, until)


def find_versions(
    warehouse: Warehouse, symbol: str, timeframe: str, *, start: datetime, end: datetime | None
) -> pl.DataFrame:
    """Return every version of the bars with `start <= ts < end` (None: the bar of `start` alone).

    Raises:
        InvalidInput: impossible symbol or timeframe, reversed range.
        NotFound: unknown symbol, or no bar there.
    """
    until = start + timedelta(microseconds=1) if end is None else end
    check_range(start, until)
    found = versions(warehouse, _series(warehouse, symbol, timeframe, start, until))
    if found.is_empty():
        raise NotFound(f"{symbol} {timeframe} has no version of a bar from {start} to {until}.")
    return found


def _series(warehouse: Warehouse, symbol: str, timeframe: str, since: datetime, until: datetime) -> Series:
    base = parse_base_timeframe(timeframe)
    with warehouse.read() as connection:
        instrument = find_instrument(connection, parse_symbol(symbol))
    return Series(instrument.instrument_id, base, since, until)
