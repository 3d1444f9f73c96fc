"""Instruments: what is traded, under which ticker, tracked or not."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import ColumnElement, Row, func, select

from chandlery.errors import NotFound
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.store.coverage import TickerSpan, ticker_spans
from chandlery.store.tables import instrument_tickers, instruments
from chandlery.store.tickers import (
    FIRST_DAY,
    free_since,
    holder_on,
    last_holder,
    lock_tickers,
    set_tickers,
)
from chandlery.store.warehouse import Reader, Writer


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """What may be known of an instrument beside its ticker; `delisted_on` is the first day it is listed no more."""

    name: str | None = None
    currency: str | None = None
    listed_on: date | None = None
    delisted_on: date | None = None
    composite_figi: str | None = None
    share_class_figi: str | None = None
    cik: str | None = None


@dataclass(frozen=True, slots=True)
class InstrumentRecord:
    """An instrument with all that is known of it; its symbol is the present or last ticker."""

    instrument: Instrument
    facts: InstrumentFacts
    is_tracked: bool
    tickers: tuple[TickerSpan, ...]


def register_instrument(
    connection: Writer,
    *,
    symbol: str,
    asset_class: AssetClass,
    calendar: str,
    name: str | None,
    source: str,
    facts: InstrumentFacts | None = None,
    since: date | None = None,
) -> Instrument:
    """Return the instrument holding `symbol` today, creating it at first sight; marks it tracked.

    A ticker that was given up or whose holder was delisted makes a new instrument. With a `delisted_on` the instrument
    is the one that held the ticker until that day. Facts given replace those known, facts not given stay. A new
    instrument holds its ticker from `since`, else from its listing, but not before the ticker was free.

    Raises:
        Conflict: another instrument holds the ticker on some day between listing and delisting.
    """
    given = InstrumentFacts() if facts is None else facts
    lock_tickers(connection)
    found = _holder(connection, symbol, given.delisted_on)
    changes = {key: value for key, value in {**asdict(given), "name": name or given.name}.items() if value is not None}
    if found is None:
        values = {**changes, "asset_class": asset_class.value, "calendar": calendar}
        created = connection.execute(instruments.insert().values(**values).returning(instruments.c.instrument_id))
        found = created.scalar_one()
        span = TickerSpan(symbol, _since(connection, symbol, given, since), given.delisted_on)
        set_tickers(connection, found, [span], source=source)
    else:
        mine = instruments.c.instrument_id == found
        connection.execute(instruments.update().where(mine).values(**changes, is_tracked=True))
    return Instrument(found, symbol, asset_class, calendar, given.currency or "USD")


def track(connection: Writer, instrument_id: int, *, is_tracked: bool) -> bool:
    """Begin or stop tracking an instrument; return whether that is a change."""
    mine = (instruments.c.instrument_id == instrument_id) & (instruments.c.is_tracked != is_tracked)
    return connection.execute(instruments.update().where(mine).values(is_tracked=is_tracked)).rowcount > 0


def untrack_others(connection: Writer, keep: Iterable[int]) -> int:
    """Stop tracking every instrument but these; their bars stay. Return how many were changed."""
    others = instruments.c.instrument_id.not_in(list(keep)) & instruments.c.is_tracked
    return connection.execute(instruments.update().where(others).values(is_tracked=False)).rowcount


def tracked_instruments(connection: Reader | Writer, *, including_delisted: bool = False) -> tuple[Instrument, ...]:
    """Return the tracked instruments under their present tickers, by symbol.

    With `including_delisted` also those listed no more, under their last ticker, which may be another's today.
    """
    if including_delisted:
        return tuple(record.instrument for record in known_instruments(connection) if record.is_tracked)
    return _present(connection, instruments.c.is_tracked)


def known_instruments(connection: Reader | Writer) -> tuple[InstrumentRecord, ...]:
    """Return all instruments, tracked or not, by symbol and then by age."""
    spans: dict[int, list[TickerSpan]] = {}
    for row in connection.execute(select(instrument_tickers).order_by(instrument_tickers.c.valid_from)):
        spans.setdefault(row.instrument_id, []).append(TickerSpan(row.ticker, row.valid_from, row.valid_to))
    rows = connection.execute(select(instruments).order_by(instruments.c.instrument_id))
    records = [_record(row, tuple(spans[row.instrument_id])) for row in rows if row.instrument_id in spans]
    return tuple(sorted(records, key=lambda record: record.instrument.symbol))


def find_instrument(connection: Reader | Writer, symbol: str) -> Instrument:
    """Return the tracked instrument of `symbol`.

    Raises:
        NotFound: none is tracked under that symbol; the message lists those that are.
    """
    found = _present(connection, instruments.c.is_tracked, instrument_tickers.c.ticker == symbol)
    if found:
        return found[0]
    known = tracked_instruments(connection)
    names = ", ".join(instrument.symbol for instrument in known) or "none yet: run `chandlery demo`"
    raise NotFound(f"Symbol {symbol} is not tracked. Tracked symbols: {names}.")


def find_record(connection: Reader | Writer, symbol: str, on: date | None = None) -> InstrumentRecord:
    """Return the instrument that held a ticker on a date; without a date its present, else its last holder.

    Raises:
        NotFound: nobody did; the message says who holds or held it on other days.
    """
    holder = last_holder(connection, symbol) if on is None else holder_on(connection, symbol, on)
    if holder is None:
        when = "" if on is None else f" on {on}"
        raise NotFound(f"No instrument is known under {symbol}{when}.{_other_days(connection, symbol)}")
    return read_record(connection, holder)


def read_record(connection: Reader | Writer, instrument_id: int) -> InstrumentRecord:
    """Return what is known of an instrument that exists."""
    row = connection.execute(select(instruments).where(instruments.c.instrument_id == instrument_id)).one()
    return _record(row, ticker_spans(connection, instrument_id))


def has_instruments_of(connection: Reader | Writer, source: str) -> bool:
    """Whether any ticker was registered from a source."""
    query = select(func.count()).select_from(instrument_tickers).where(instrument_tickers.c.source == source)
    return connection.execute(query).scalar_one() > 0


def _present(connection: Reader | Writer, *conditions: ColumnElement[bool]) -> tuple[Instrument, ...]:
    query = (
        select(instruments, instrument_tickers.c.ticker)
        .join(instrument_tickers, instrument_tickers.c.instrument_id == instruments.c.instrument_id)
        .where(instrument_tickers.c.valid_to.is_(None), *conditions)
        .order_by(instrument_tickers.c.ticker)
    )
    return tuple(
        Instrument(row.instrument_id, row.ticker, AssetClass(row.asset_class), row.calendar, row.currency)
        for row in connection.execute(query)
    )


def _record(row: Row[tuple[object, ...]], spans: tuple[TickerSpan, ...]) -> InstrumentRecord:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    asset_class = AssetClass(values["asset_class"])
    instrument = Instrument(
        values["instrument_id"], spans[-1].ticker, asset_class, values["calendar"], values["currency"]
    )
    facts = InstrumentFacts(**{name: values[name] for name in InstrumentFacts.__slots__})
    return InstrumentRecord(instrument, facts, values["is_tracked"], spans)


def _holder(connection: Writer, symbol: str, delisted_on: date | None) -> int | None:
    """Return who holds a ticker without end, or who held it until it was delisted that day."""
    if delisted_on is None:
        return holder_on(connection, symbol, None)
    ended = select(instrument_tickers.c.instrument_id).where(
        instrument_tickers.c.ticker == symbol, instrument_tickers.c.valid_to == delisted_on
    )
    return connection.execute(ended).scalar()


def _since(connection: Writer, symbol: str, facts: InstrumentFacts, since: date | None) -> date:
    first = since or facts.listed_on or FIRST_DAY
    return first if facts.delisted_on is not None else max(free_since(connection, symbol), first)


def _other_days(connection: Reader | Writer, symbol: str) -> str:
    query = (
        select(instrument_tickers.c.instrument_id, instrument_tickers.c.valid_from, instrument_tickers.c.valid_to)
        .where(instrument_tickers.c.ticker == symbol)
        .order_by(instrument_tickers.c.valid_from)
    )
    spans = [f"instrument {row[0]} from {row[1]} to {row[2] or 'today'}" for row in connection.execute(query)]
    return f" It was held by {', '.join(spans)} (end exclusive)." if spans else " `chandlery universe add` adds one."
