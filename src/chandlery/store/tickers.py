"""Tickers over time: who held which, from when to when. No two instruments hold a ticker on one date.

The rule needs a writer that looks before it writes, so every writer holds one lock from the look to the commit: an
exclusion constraint over text and date ranges would need the extension btree_gist, which not every server has.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select

from chandlery.errors import Conflict, InvalidInput, NotFound
from chandlery.store.coverage import TickerSpan, ticker_spans
from chandlery.store.tables import instrument_tickers, instruments
from chandlery.store.warehouse import Reader, Writer

FIRST_DAY = date(1900, 1, 1)
"""Stands for "always" where nobody knows since when."""

_LOCK_KEY = 7_304_526_119
_SPAN = instrument_tickers.c


def lock_tickers(connection: Writer) -> None:
    """Let no other writer of tickers look or write until this transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))


def holder_on(connection: Reader | Writer, ticker: str, on: date | None) -> int | None:
    """Return the instrument that held a ticker on a date (None: holds it without end), None if nobody."""
    query = select(_SPAN.instrument_id).where(_SPAN.ticker == ticker)
    if on is None:
        query = query.where(_SPAN.valid_to.is_(None))
    else:
        query = query.where(_SPAN.valid_from <= on, _ends_after(on))
    return connection.execute(query).scalar()


def last_holder(connection: Reader | Writer, ticker: str) -> int | None:
    """Return the instrument that holds a ticker, else the one that held it last; None if nobody ever did."""
    query = select(_SPAN.instrument_id).where(_SPAN.ticker == ticker).order_by(_SPAN.valid_from.desc()).limit(1)
    return connection.execute(query).scalar()


def set_tickers(connection: Writer, instrument_id: int, spans: Sequence[TickerSpan], *, source: str) -> None:
    """Make these the tickers of an instrument; `source` tells those it did not have.

    Raises:
        Conflict: another instrument holds one of them on one of the days; the message names it.
    """
    lock_tickers(connection)
    for span in spans:
        _require_free(connection, span, besides=instrument_id)
    gone = delete(instrument_tickers).where(_SPAN.instrument_id == instrument_id)
    told = {
        (row[0], row[1]): row[2]
        for row in connection.execute(gone.returning(_SPAN.ticker, _SPAN.valid_from, _SPAN.source))
    }
    rows = [
        {
            "ticker": span.ticker,
            "valid_from": span.start,
            "valid_to": span.end,
            "instrument_id": instrument_id,
            "source": told.get((span.ticker, span.start), source),
        }
        for span in spans
    ]
    connection.execute(instrument_tickers.insert(), rows)


def free_since(connection: Reader | Writer, ticker: str) -> date:
    """Return the first day from which on nobody holds or held a ticker."""
    latest = connection.execute(select(func.max(_SPAN.valid_to)).where(_SPAN.ticker == ticker)).scalar()
    return latest or FIRST_DAY


def rename_instrument(connection: Writer, old: str, new: str, *, on: date, source: str) -> int:
    """Let the holder of `old` be called `new` from `on`, and return it: one instrument, one series.

    Where only `new` is known, `old` becomes the ticker it had before. Repeating a rename changes nothing.

    Raises:
        NotFound: nobody holds either.
        Conflict: another instrument holds `new` on or after that day, or `old` before it.
        InvalidInput: the holder took its present ticker on or after that day, or both names are the same.
    """
    if old == new:
        raise InvalidInput(f"{old} was to be renamed to itself; name the new ticker.")
    lock_tickers(connection)
    for holder in (holder_on(connection, old, None), holder_on(connection, new, None)):
        if holder is not None:
            spans = _renamed(ticker_spans(connection, holder), old, new, on)
            if list(ticker_spans(connection, holder)) != spans:
                set_tickers(connection, holder, spans, source=source)
            return holder
    raise NotFound(
        f"{old} was to be renamed to {new}, and no instrument holds either (`chandlery universe list --all`)."
    )


def delist_instrument(connection: Writer, symbol: str, *, on: date) -> int:
    """End the present ticker of an instrument on a day, the first on which it is listed no more; return it.

    Its bars and rows stay. Whoever takes the ticker later is another instrument.

    Raises:
        NotFound: nobody holds the ticker.
        InvalidInput: the holder took it on or after that day.
    """
    lock_tickers(connection)
    holder = holder_on(connection, symbol, None)
    if holder is None:
        raise NotFound(f"{symbol} was to be delisted, and no instrument holds it (`chandlery universe list --all`).")
    (present,) = [span for span in ticker_spans(connection, holder) if span.end is None]
    if on <= present.start:
        raise InvalidInput(
            f"{symbol} was to be delisted on {on}, but it has been called so since {present.start} only."
        )
    mine = (_SPAN.instrument_id == holder) & _SPAN.valid_to.is_(None)
    connection.execute(instrument_tickers.update().where(mine).values(valid_to=on))
    connection.execute(instruments.update().where(instruments.c.instrument_id == holder).values(delisted_on=on))
    return holder


def _renamed(spans: Sequence[TickerSpan], old: str, new: str, on: date) -> list[TickerSpan]:
    *earlier, present = spans
    if present.ticker == old:
        if on <= present.start:
            raise InvalidInput(
                f"{old} was to be called {new} from {on}, but is called {old} since {present.start} only."
            )
        return [*earlier, TickerSpan(old, present.start, on), TickerSpan(new, on, None)]
    if earlier and (earlier[-1].ticker, present.start) == (old, on):
        return list(spans)
    if earlier or not present.start < on:
        raise InvalidInput(
            f"{old} was to be called {new} from {on}, but {new} has been called so since {present.start} and had "
            f"{earlier[-1].ticker if earlier else 'no ticker'} before."
        )
    return [TickerSpan(old, present.start, on), TickerSpan(new, on, None)]


def _require_free(connection: Writer, span: TickerSpan, *, besides: int) -> None:
    overlaps = (_SPAN.ticker == span.ticker) & _ends_after(span.start) & (_SPAN.instrument_id != besides)
    if span.end is not None:
        overlaps &= _SPAN.valid_from < span.end
    query = (
        select(_SPAN.instrument_id, instruments.c.name, _SPAN.valid_from, _SPAN.valid_to)
        .join(instruments, instruments.c.instrument_id == _SPAN.instrument_id)
        .where(overlaps)
        .order_by(_SPAN.valid_from)
    )
    held = connection.execute(query).first()
    if held is not None:
        until = "without end" if held[3] is None else f"to {held[3] - timedelta(days=1)}"
        raise Conflict(
            f"Ticker {span.ticker} was wanted from {span.start}, but instrument {held[0]} "
            f"({held[1] or 'without name'}) holds it from {held[2]} {until}. Rename or delist that one first: "
            f"`chandlery universe show {span.ticker}`."
        )


def _ends_after(day: date) -> ColumnElement[bool]:
    return or_(_SPAN.valid_to.is_(None), _SPAN.valid_to > day)
