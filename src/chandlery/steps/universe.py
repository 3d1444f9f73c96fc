"""Make the universe: which instruments are tracked, under which tickers, as settings, source and people say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from chandlery.errors import Conflict, NotFound, SourceError
from chandlery.log import get_logger
from chandlery.market.symbols import AssetClass, calendar_of
from chandlery.market.universe import DEFAULT_UNIVERSE, known_instrument
from chandlery.sources.protocol import BarSource, Listing
from chandlery.steps.ticker_history import TickerHistory, adopt_history, follow_rename, is_same_instrument
from chandlery.store.tickers import holder_on
from chandlery.store.universe import (
    InstrumentFacts,
    has_instruments_of,
    known_instruments,
    register_instrument,
    untrack_others,
)
from chandlery.store.warehouse import Reader, Warehouse, Writer

log = get_logger(__name__)

VENDOR = "massive"
"""The source that lists far more than anybody tracks, and whose tickers are those of the market."""

_CLASSES = (AssetClass.STOCKS, AssetClass.CRYPTO)


@dataclass(frozen=True, slots=True)
class UniverseReceipt:
    """What is tracked now; `notes` say what the source could not or would not tell, by symbol."""

    symbols: tuple[str, ...]
    untracked: int
    rows: tuple[dict[str, str], ...]
    notes: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a sync will track.

    Attributes:
        listings: to be registered.
        histories: the tickers they had, as far as no source needs to be asked.
        kept: instruments that stay tracked as they are.
        notes: what a person should know.
        renamed: present ticker -> the former one and the instrument, where the FIGI tells.
    """

    listings: tuple[Listing, ...]
    histories: Mapping[str, TickerHistory]
    kept: tuple[int, ...]
    notes: tuple[dict[str, str], ...]
    renamed: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def sync_universe(
    source: BarSource, warehouse: Warehouse, *, symbols: tuple[str, ...], source_name: str
) -> UniverseReceipt:
    """Track exactly `symbols`; if it is empty, what is tracked already, or all that a tape lists.

    At the first sync with the vendor the default universe of 63 joins. A tracked symbol that changed its ticker keeps
    its id; one the source lists no more stays as it is, with a note. What the source cannot say of earlier tickers is
    a note as well.

    Raises:
        NotFound: a symbol of `symbols` is not listed by the source.
        SourceError: the source did not say what it lists.
    """
    listed = {listing.symbol: listing for listing in source.list_instruments() if listing.asset_class in _CLASSES}
    with warehouse.read() as connection:
        plan = _plan(connection, listed, symbols, source_name)
        held = {item.symbol: holder_on(connection, item.symbol, None) for item in plan.listings}
    histories, notes = _histories(source, plan, new=[symbol for symbol, holder in held.items() if holder is None])
    plan, undated = _without_undated(plan, histories)
    with warehouse.write() as connection:
        # Those with a former ticker first: another of them may have taken it over.
        order = sorted(plan.listings, key=lambda item: -len(histories.get(item.symbol, ())))
        brought = [_bring_in(connection, item, histories.get(item.symbol, ()), source_name) for item in order]
        untracked = untrack_others(connection, [*plan.kept, *(number for number, _ in brought)])
    notes = [*plan.notes, *notes, *undated, *(note for _, note in brought if note is not None)]
    for note in notes:
        log.warning("universe_note", **note)
    log.info("universe_synced", symbols=len(plan.listings), untracked=untracked, notes=len(notes))
    rows = tuple({"symbol": item.symbol, "name": item.name, "class": item.asset_class.value} for item in plan.listings)
    return UniverseReceipt(tuple(item.symbol for item in plan.listings), untracked, rows, tuple(notes))


def _plan(connection: Reader, listed: Mapping[str, Listing], symbols: tuple[str, ...], source_name: str) -> _Plan:
    if symbols:
        missing = [symbol for symbol in symbols if symbol not in listed]
        if missing:
            raise NotFound(
                f"The source was asked for its listings and does not know {', '.join(missing)}. "
                "Correct CHANDLERY_PIPELINE__SYMBOLS."
            )
        return _Plan(tuple(listed[symbol] for symbol in symbols), _known(symbols, source_name), (), ())
    if source_name != VENDOR:
        return _Plan(tuple(listed.values()), {}, (), ())
    return _plan_of_vendor(connection, listed)


def _plan_of_vendor(connection: Reader, listed: Mapping[str, Listing]) -> _Plan:
    """Follow what is tracked: by its ticker, else by its FIGI under another one; at first join the default universe."""
    by_figi = {item.composite_figi: item.symbol for item in listed.values() if item.composite_figi}
    wanted: dict[str, None] = {}
    kept: list[int] = []
    notes: list[dict[str, str]] = []
    renamed: dict[str, tuple[str, int]] = {}
    for record in known_instruments(connection):
        symbol, figi = record.instrument.symbol, record.facts.composite_figi
        if not record.is_tracked:
            continue
        is_listed = symbol in listed and is_same_instrument(figi, listed[symbol].composite_figi)
        if record.tickers[-1].end is not None or not (is_listed or figi in by_figi):
            kept.append(record.instrument.instrument_id)
            if record.tickers[-1].end is None:
                notes.append(_note(symbol, "the source lists it no more; rename or delist it (`chandlery universe`)"))
        elif is_listed:
            wanted[symbol] = None
        else:
            present = by_figi[figi or ""]
            wanted[present] = None
            renamed[present] = (symbol, record.instrument.instrument_id)
    if not has_instruments_of(connection, VENDOR):
        wanted |= dict.fromkeys(member.symbol for member in DEFAULT_UNIVERSE)
    unknown = [symbol for symbol in wanted if symbol not in listed]
    notes += [_note(symbol, "of the default universe; the source does not list it") for symbol in unknown]
    found = [symbol for symbol in sorted(wanted) if symbol in listed]
    return _Plan(tuple(listed[symbol] for symbol in found), _known(found, VENDOR), tuple(kept), tuple(notes), renamed)


def _known(symbols: Iterable[str], source_name: str) -> dict[str, TickerHistory]:
    """Return the ticker histories that need no source; a tape's tickers are whatever its maker wrote."""
    if source_name != VENDOR:
        return {}
    members = [member for symbol in symbols if (member := known_instrument(symbol)) is not None]
    return {member.symbol: member.tickers for member in members if member.tickers}


def _histories(
    source: BarSource, plan: _Plan, *, new: Iterable[str]
) -> tuple[dict[str, TickerHistory], list[dict[str, str]]]:
    """Return what is known, and what the source says of stocks seen for the first time: one call each."""
    histories, notes = dict(plan.histories), list[dict[str, str]]()
    stocks = {item.symbol for item in plan.listings if item.asset_class is AssetClass.STOCKS}
    for symbol in new:
        if symbol not in stocks or symbol in histories:
            continue
        try:
            changes = source.fetch_ticker_changes(symbol)
        except SourceError as error:
            notes.append(_note(symbol, f"earlier tickers not told: {error.code}: {error}"))
            continue
        history = tuple((change.ticker, change.day) for change in changes)
        ascends = all(before[1] < after[1] for before, after in pairwise(history))
        if not ascends or (history and history[-1][0] != symbol):
            notes.append(_note(symbol, f"earlier tickers make no sense and are ignored: {history}"))
        elif len(history) > 1:
            # One entry says since when the source has data, not since when the ticker is held.
            histories[symbol] = history
    return histories, notes


def _without_undated(plan: _Plan, histories: Mapping[str, TickerHistory]) -> tuple[_Plan, list[dict[str, str]]]:
    """Leave alone what changed its ticker nobody knows when: a second instrument would split its series."""
    undated = {
        symbol: former
        for symbol, former in plan.renamed.items()
        if former[0] not in {ticker for ticker, _ in histories.get(symbol, ())[:-1]}
    }
    listings = tuple(item for item in plan.listings if item.symbol not in undated)
    kept = (*plan.kept, *(number for _, number in undated.values()))
    notes = [
        _note(
            old, f"is listed as {new} now, since when was not told: `chandlery universe rename {old} {new} --on DATE`"
        )
        for new, (old, _) in undated.items()
    ]
    return replace(plan, listings=listings, kept=kept), notes


def _bring_in(
    connection: Writer, listing: Listing, history: TickerHistory, source_name: str
) -> tuple[int, dict[str, str] | None]:
    """Register a listing under its ticker; if an instrument of ours held it under its former one, as that one."""
    reason = follow_rename(connection, listing.symbol, listing.composite_figi, history, source=source_name)
    instrument = register_instrument(
        connection,
        symbol=listing.symbol,
        asset_class=listing.asset_class,
        calendar=calendar_of(listing.asset_class),
        name=listing.name,
        source=source_name,
        facts=InstrumentFacts(
            composite_figi=listing.composite_figi,
            share_class_figi=listing.share_class_figi,
            cik=listing.cik,
            listed_on=history[0][1] if history and known_instrument(listing.symbol) else None,
        ),
        since=history[-1][1] if history else None,
    )
    if history:
        try:
            with connection.begin_nested():
                adopt_history(connection, instrument.instrument_id, history, source=source_name)
        except Conflict as error:
            reason = f"earlier tickers not taken over: {error}"
    return instrument.instrument_id, None if reason is None else _note(listing.symbol, reason)


def _note(symbol: str, text: str) -> dict[str, str]:
    return {"symbol": symbol, "note": text}
