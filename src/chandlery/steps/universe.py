"""Make the universe: instruments of the source, the calendar table, splits."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from chandlery.errors import NotFound
from chandlery.log import get_logger
from chandlery.market.calendar import ZONES, sessions
from chandlery.market.symbols import AssetClass, calendar_of
from chandlery.sources.protocol import BarSource, Listing
from chandlery.store.splits import upsert_splits
from chandlery.store.universe import register_instrument, replace_sessions, tracked_instruments, untrack_others
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_CLASSES = (AssetClass.STOCKS, AssetClass.CRYPTO)


@dataclass(frozen=True, slots=True)
class UniverseReceipt:
    """What is tracked now."""

    symbols: tuple[str, ...]
    untracked: int
    rows: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class CalendarReceipt:
    """Sessions written, by calendar."""

    sessions: dict[str, int]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class SplitReceipt:
    """Splits the source records, and how many of them are new or changed."""

    splits: int
    changed: int
    rows: tuple[dict[str, str], ...]


def sync_universe(
    source: BarSource, warehouse: Warehouse, *, symbols: tuple[str, ...], source_name: str
) -> UniverseReceipt:
    """Track exactly `symbols`, or all stocks and crypto the source lists if it is empty.

    Raises:
        NotFound: a wanted symbol is not listed by the source.
        SourceError: the source did not answer.
    """
    listed = {listing.symbol: listing for listing in source.list_instruments() if listing.asset_class in _CLASSES}
    wanted = _wanted(listed, symbols)
    with warehouse.write() as connection:
        kept = [
            register_instrument(
                connection,
                symbol=listing.symbol,
                asset_class=listing.asset_class,
                calendar=calendar_of(listing.asset_class),
                name=listing.name,
                source=source_name,
            )
            for listing in wanted
        ]
        untracked = untrack_others(connection, [instrument.instrument_id for instrument in kept])
    log.info("universe_synced", symbols=len(kept), untracked=untracked)
    rows = tuple({"symbol": item.symbol, "name": item.name, "class": item.asset_class.value} for item in wanted)
    return UniverseReceipt(tuple(item.symbol for item in wanted), untracked, rows)


def build_calendar(warehouse: Warehouse, *, start: date, end: date) -> CalendarReceipt:
    """Write the sessions of every calendar with `start <= session < end` into `ops.sessions`."""
    frames = [sessions(calendar, start, end) for calendar in ZONES]
    with warehouse.write() as connection:
        replace_sessions(connection, pl.concat(frames))
    counts = {frame["calendar"][0]: frame.height for frame in frames if not frame.is_empty()}
    log.info("calendar_built", **counts)
    return CalendarReceipt(counts, start, end)


def ingest_splits(source: BarSource, warehouse: Warehouse, *, source_name: str) -> SplitReceipt:
    """Store the splits the source records for every tracked instrument.

    Raises:
        SourceError: the source did not answer.
    """
    with warehouse.read() as connection:
        instruments = tracked_instruments(connection)
    changed, rows = 0, []
    for instrument in instruments:
        if instrument.asset_class is not AssetClass.STOCKS:
            continue
        found = source.fetch_splits(instrument.symbol)
        facts = [(split.execution_date, split.split_from, split.split_to) for split in found]
        with warehouse.write() as connection:
            changed += upsert_splits(connection, instrument_id=instrument.instrument_id, rows=facts, source=source_name)
        rows += [
            {"symbol": split.symbol, "date": str(split.execution_date), "ratio": f"{split.split_to}:{split.split_from}"}
            for split in found
        ]
    log.info("splits_ingested", splits=len(rows), changed=changed)
    return SplitReceipt(len(rows), changed, tuple(rows))


def _wanted(listed: dict[str, Listing], symbols: tuple[str, ...]) -> list[Listing]:
    if not symbols:
        return list(listed.values())
    missing = [symbol for symbol in symbols if symbol not in listed]
    if missing:
        raise NotFound(
            f"The source was asked for its listings and does not know {', '.join(missing)}. "
            "Correct CHANDLERY_PIPELINE__SYMBOLS."
        )
    return [listed[symbol] for symbol in symbols]
