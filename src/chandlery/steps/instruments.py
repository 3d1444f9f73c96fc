"""Add, remove, rename and delist instruments by hand; show what is known of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from chandlery.errors import Conflict, InvalidInput, NotFound, SourceError
from chandlery.log import get_logger
from chandlery.market.symbols import AssetClass, calendar_of, parse_symbol, require_trackable
from chandlery.market.universe import DEFAULT_UNIVERSE, known_instrument
from chandlery.sources.protocol import BarSource, Listing
from chandlery.steps.ticker_history import TickerHistory, adopt_history, follow_rename
from chandlery.store.backfill import BackfillWindow, SeriesStatistics, backfill_windows, series_statistics
from chandlery.store.tickers import delist_instrument, rename_instrument
from chandlery.store.universe import (
    InstrumentFacts,
    InstrumentRecord,
    find_record,
    read_record,
    register_instrument,
    track,
)
from chandlery.store.warehouse import Warehouse, Writer

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A symbol to add, with what the caller knows of it."""

    symbol: str
    facts: InstrumentFacts = field(default_factory=InstrumentFacts)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a wanted symbol; `note` says what could not be asked or taken over."""

    record: InstrumentRecord
    note: str | None


@dataclass(frozen=True, slots=True)
class InstrumentSheet:
    """All that is known of one instrument."""

    record: InstrumentRecord
    windows: tuple[BackfillWindow, ...]
    statistics: tuple[SeriesStatistics, ...]


def default_wanted() -> tuple[Wanted, ...]:
    """Return the default universe as symbols to add."""
    return tuple(Wanted(member.symbol) for member in DEFAULT_UNIVERSE)


def add_instruments(
    warehouse: Warehouse, wanted: Sequence[Wanted], *, source: BarSource | None, source_name: str
) -> tuple[Added, ...]:
    """Track symbols, all or none of them; what is tracked already keeps its id.

    Asset class and calendar follow the symbol's prefix. Of the rest the caller's facts come first, then what is known
    of the default universe, then what the source says, if one is given.

    Raises:
        InvalidInput: a text that can be no symbol, a class without a calendar, a delisting before the listing.
        NotFound: the source does not know a symbol of which nothing else is known.
        Conflict: another instrument held the ticker on some of the days.
    """
    described = [_described(item, source) for item in wanted]
    with warehouse.write() as connection:
        # A member with a former ticker first, as in `sync_universe`: another one may have taken that over.
        order = sorted(range(len(described)), key=lambda place: -len(_history(described[place][0].symbol)))
        added = {place: _register(connection, *described[place], source_name) for place in order}
    log.info("instruments_added", symbols=len(added))
    return tuple(added[place] for place in range(len(described)))


def remove_instrument(warehouse: Warehouse, symbol: str) -> InstrumentRecord:
    """Stop tracking an instrument; its bars, tickers and windows stay.

    Raises:
        InvalidInput: the text can be no symbol.
        NotFound: nobody holds or held it, or it was not tracked.
    """
    with warehouse.write() as connection:
        record = find_record(connection, parse_symbol(symbol))
        if not track(connection, record.instrument.instrument_id, is_tracked=False):
            raise NotFound(f"{record.instrument.symbol} was to be removed, and is not tracked; nothing was changed.")
    return replace(record, is_tracked=False)


def rename(warehouse: Warehouse, old: str, new: str, *, on: date, source_name: str) -> InstrumentRecord:
    """Let an instrument be called otherwise from a day on; its series goes on.

    Raises:
        InvalidInput, NotFound, Conflict: see `store.tickers.rename_instrument`.
    """
    before, after = parse_symbol(old), parse_symbol(new)
    if require_trackable(before) is not require_trackable(after):
        raise InvalidInput(f"{before} was to be renamed to {after}, which is of another asset class.")
    with warehouse.write() as connection:
        rename_instrument(connection, before, after, on=on, source=source_name)
        return find_record(connection, after, on)


def delist(warehouse: Warehouse, symbol: str, *, on: date) -> InstrumentRecord:
    """End an instrument's listing on a day, the first on which it is listed no more; everything of it stays.

    Raises:
        InvalidInput, NotFound: see `store.tickers.delist_instrument`.
    """
    ticker = parse_symbol(symbol)
    with warehouse.write() as connection:
        delist_instrument(connection, ticker, on=on)
        return find_record(connection, ticker, on - timedelta(days=1))


def show_instrument(warehouse: Warehouse, symbol: str, on: date | None = None) -> InstrumentSheet:
    """Return all that is known of the instrument that held a ticker on a day (None: holds it, else held it last).

    Raises:
        InvalidInput: the text can be no symbol.
        NotFound: nobody did.
    """
    with warehouse.read() as connection:
        record = find_record(connection, parse_symbol(symbol), on)
        number = record.instrument.instrument_id
        return InstrumentSheet(record, backfill_windows(connection, number), series_statistics(connection, number))


def _described(item: Wanted, source: BarSource | None) -> tuple[Wanted, str | None]:
    """Return a wanted symbol with its facts completed, and what could not be asked."""
    symbol = parse_symbol(item.symbol)
    require_trackable(symbol)
    known, facts, note = known_instrument(symbol), item.facts, None
    if known is not None and facts.delisted_on is None:
        facts = replace(facts, listed_on=facts.listed_on or known.listed_on)
    elif source is not None:
        try:
            listing = source.describe_instrument(symbol)
        except SourceError as error:
            note = f"the source was not heard ({error.code}); facts as given"
        else:
            facts = _completed(symbol, facts, listing)
    if facts.listed_on is not None and facts.delisted_on is not None and not facts.listed_on < facts.delisted_on:
        raise InvalidInput(
            f"{symbol} was to be listed on {facts.listed_on} and no more on {facts.delisted_on}; the end comes after "
            "the start."
        )
    return Wanted(symbol, facts), note


def _completed(symbol: str, facts: InstrumentFacts, listing: Listing | None) -> InstrumentFacts:
    if listing is None:
        if facts == InstrumentFacts():
            raise NotFound(
                f"The source was asked for {symbol} and does not know it. Correct the symbol, or say what is known of "
                "it (--name, --listed-on), or add it unseen (--offline)."
            )
        return facts
    last = None if listing.is_active or listing.last_session is None else listing.last_session + timedelta(days=1)
    return InstrumentFacts(
        name=facts.name or listing.name,
        currency=facts.currency,
        listed_on=facts.listed_on or listing.first_session,
        delisted_on=facts.delisted_on or last,
        composite_figi=facts.composite_figi or listing.composite_figi,
        share_class_figi=facts.share_class_figi or listing.share_class_figi,
        cik=facts.cik or listing.cik,
    )


def _register(connection: Writer, item: Wanted, note: str | None, source_name: str) -> Added:
    asset_class: AssetClass = require_trackable(item.symbol)
    # What is known by symbol is about who holds it today.
    history = _history(item.symbol) if item.facts.delisted_on is None else ()
    reason = follow_rename(connection, item.symbol, item.facts.composite_figi, history, source=source_name)
    instrument = register_instrument(
        connection,
        symbol=item.symbol,
        asset_class=asset_class,
        calendar=calendar_of(asset_class),
        name=item.facts.name,
        source=source_name,
        facts=item.facts,
        since=history[-1][1] if history else None,
    )
    if history:
        try:
            with connection.begin_nested():
                adopt_history(connection, instrument.instrument_id, history, source=source_name)
        except Conflict as error:
            reason = f"earlier tickers not taken over: {error}"
    return Added(read_record(connection, instrument.instrument_id), reason or note)


def _history(symbol: str) -> TickerHistory:
    known = known_instrument(symbol)
    return () if known is None else known.tickers
