"""What a source records of splits, dividends and tickers, fetched and kept in versions; nothing is judged here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chandlery.log import get_logger
from chandlery.market.symbols import AssetClass, Instrument, parse_symbol
from chandlery.sources.protocol import BarSource, Dividend, Split, TickerChange
from chandlery.store.coverage import TickerSpan, ticker_spans
from chandlery.store.recorded_actions import Changes, Entity, has_recorded, record
from chandlery.store.universe import find_instrument, tracked_instruments
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class RecordReceipt:
    """What a source records of one kind of action, and what of it is new or gone."""

    entity: Entity
    instruments: int
    recorded: int
    changes: Changes
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    entity: Entity
    fetch: Callable[[BarSource, str], Sequence[Any]]
    day: Callable[[Any], date]
    row: Callable[[Any], Mapping[str, object]]
    line: Callable[[Any], Line]


def ingest_splits(
    source: BarSource, warehouse: Warehouse, *, source_name: str, symbols: Sequence[str] = ()
) -> RecordReceipt:
    """Store the splits the source records for every tracked stock, or for some; unchanged lists write nothing.

    A renamed instrument is asked for under each of its tickers, for the days it held them. A symbol is one transaction.
    An empty list where there was one is asked for twice before it is believed: the vendor answers empty for a moment
    under load.

    Raises:
        NotFound: a symbol is not tracked.
        SourceError: the source did not answer; symbols before it are stored.
    """
    return _ingest(_SPLITS, source, warehouse, source_name, symbols)


def ingest_dividends(
    source: BarSource, warehouse: Warehouse, *, source_name: str, symbols: Sequence[str] = ()
) -> RecordReceipt:
    """Store the cash dividends the source records, as `ingest_splits` does splits."""
    return _ingest(_DIVIDENDS, source, warehouse, source_name, symbols)


def ingest_ticker_events(
    source: BarSource, warehouse: Warehouse, *, source_name: str, symbols: Sequence[str] = ()
) -> RecordReceipt:
    """Store the ticker changes the source records, as `ingest_splits` does splits."""
    return _ingest(_TICKERS, source, warehouse, source_name, symbols)


def chosen_instruments(
    warehouse: Warehouse, symbols: Sequence[str], *, including_delisted: bool = False
) -> list[Instrument]:
    """Return the tracked instruments, or those of some symbols.

    Raises:
        InvalidInput: an impossible symbol.
        NotFound: a symbol is not tracked.
    """
    with warehouse.read() as connection:
        if symbols:
            return [find_instrument(connection, parse_symbol(symbol)) for symbol in symbols]
        return list(tracked_instruments(connection, including_delisted=including_delisted))


def _ingest(
    kind: _Kind, source: BarSource, warehouse: Warehouse, source_name: str, symbols: Sequence[str]
) -> RecordReceipt:
    changes, lines = Changes(), list[Line]()
    stocks = [item for item in chosen_instruments(warehouse, symbols) if item.asset_class is AssetClass.STOCKS]
    for instrument in stocks:
        number = instrument.instrument_id
        with warehouse.read() as connection:
            spans = ticker_spans(connection, number)
        found = _fetched(kind, source, spans)
        if not found and has_recorded(warehouse, kind.entity, instrument_id=number, source=source_name):
            found = _fetched(kind, source, spans)
        with warehouse.write() as connection:
            rows = [kind.row(item) for item in found]
            publisher = _publisher(found) or source_name
            changes += record(connection, kind.entity, instrument_id=number, rows=rows, source=publisher)
        lines += [{"symbol": instrument.symbol, **kind.line(item)} for item in found]
    log.info("actions_recorded", entity=kind.entity, recorded=len(lines), new=changes.new, gone=changes.gone)
    return RecordReceipt(kind.entity, len(stocks), len(lines), changes, tuple(lines))


def _publisher(found: Sequence[Any]) -> str | None:
    """Return who published the records, if they say so with one voice."""
    names = {getattr(item, "publisher", None) for item in found}
    return names.pop() if len(names) == 1 else None


def _fetched(kind: _Kind, source: BarSource, spans: Sequence[TickerSpan]) -> list[Any]:
    """Fetch under every ticker the instrument has had, each for its own days.

    What the source records under a ticker on other days happened to another holder: META was a fund before it was FB's.
    Ticker changes are recorded by instrument, so the present ticker gives them all.
    """
    if kind.entity == "ticker_events":
        return list(kind.fetch(source, spans[-1].ticker))
    found: list[Any] = []
    for ticker in dict.fromkeys(span.ticker for span in spans):
        held = [span for span in spans if span.ticker == ticker]
        found += [item for item in kind.fetch(source, ticker) if any(_covers(span, kind.day(item)) for span in held)]
    return found


def _covers(span: TickerSpan, day: date) -> bool:
    return span.start <= day and (span.end is None or day < span.end)


def _split_row(split: Split) -> Mapping[str, object]:
    return {"execution_date": split.execution_date, "split_from": split.split_from, "split_to": split.split_to}


def _split_line(split: Split) -> Line:
    return {"date": str(split.execution_date), "ratio": f"{split.split_to}:{split.split_from}"}


def _dividend_row(dividend: Dividend) -> Mapping[str, object]:
    return {
        "ex_dividend_date": dividend.ex_dividend_date,
        "cash_amount": dividend.cash_amount,
        "currency": dividend.currency,
        "kind": dividend.kind,
        "declaration_date": dividend.declaration_date,
        "record_date": dividend.record_date,
        "pay_date": dividend.pay_date,
        "frequency": dividend.frequency,
    }


def _dividend_line(dividend: Dividend) -> Line:
    cash = f"{dividend.cash_amount} {dividend.currency}"
    return {"date": str(dividend.ex_dividend_date), "cash": cash, "kind": dividend.kind}


def _ticker_row(change: TickerChange) -> Mapping[str, object]:
    return {"event_date": change.day, "kind": "ticker_change", "ticker": change.ticker}


def _ticker_line(change: TickerChange) -> Line:
    return {"date": str(change.day), "ticker": change.ticker}


_SPLITS = _Kind(
    entity="splits",
    fetch=lambda source, symbol: source.fetch_splits(symbol),
    day=lambda split: split.execution_date,
    row=_split_row,
    line=_split_line,
)
_DIVIDENDS = _Kind(
    entity="dividends",
    fetch=lambda source, symbol: source.fetch_dividends(symbol),
    day=lambda dividend: dividend.ex_dividend_date,
    row=_dividend_row,
    line=_dividend_line,
)
_TICKERS = _Kind(
    entity="ticker_events",
    fetch=lambda source, symbol: source.fetch_ticker_changes(symbol),
    day=lambda change: change.day,
    row=_ticker_row,
    line=_ticker_line,
)
