"""Instruments, their tickers and the calendar table."""

from collections.abc import Iterable
from datetime import date

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chandlery.errors import NotFound
from chandlery.market.calendar import SESSION_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.store.frames import read_frame
from chandlery.store.tables import instrument_tickers, instruments, sessions
from chandlery.store.warehouse import Reader, Warehouse, Writer

_FIRST_DAY = date(1900, 1, 1)


def register_instrument(
    connection: Writer, *, symbol: str, asset_class: AssetClass, calendar: str, name: str | None, source: str
) -> Instrument:
    """Return the instrument holding `symbol` today, creating it at first sight; marks it tracked."""
    # One registrar at a time, else two runs could each create an instrument for one ticker.
    connection.execute(select(func.pg_advisory_xact_lock(7_304_526_119)))
    held = select(instrument_tickers.c.instrument_id).where(
        instrument_tickers.c.ticker == symbol, instrument_tickers.c.valid_to.is_(None)
    )
    found = connection.execute(held).scalar()
    if found is None:
        facts = {"asset_class": asset_class.value, "calendar": calendar, "name": name}
        found = connection.execute(instruments.insert().values(**facts).returning(instruments.c.instrument_id)).scalar()
        ticker = {"ticker": symbol, "valid_from": _FIRST_DAY, "instrument_id": found, "source": source}
        connection.execute(instrument_tickers.insert().values(**ticker))
    else:
        connection.execute(
            instruments.update().where(instruments.c.instrument_id == found).values(name=name, is_tracked=True)
        )
    return Instrument(int(found or 0), symbol, asset_class, calendar)


def untrack_others(connection: Writer, keep: Iterable[int]) -> int:
    """Stop tracking every instrument but these; their bars stay. Return how many were changed."""
    others = instruments.c.instrument_id.not_in(list(keep)) & instruments.c.is_tracked
    return connection.execute(instruments.update().where(others).values(is_tracked=False)).rowcount


def tracked_instruments(connection: Reader | Writer) -> tuple[Instrument, ...]:
    """Return the tracked instruments under their present tickers, by symbol."""
    query = (
        select(instruments, instrument_tickers.c.ticker)
        .join(instrument_tickers, instrument_tickers.c.instrument_id == instruments.c.instrument_id)
        .where(instruments.c.is_tracked, instrument_tickers.c.valid_to.is_(None))
        .order_by(instrument_tickers.c.ticker)
    )
    return tuple(
        Instrument(row.instrument_id, row.ticker, AssetClass(row.asset_class), row.calendar, row.currency)
        for row in connection.execute(query)
    )


def find_instrument(connection: Reader | Writer, symbol: str) -> Instrument:
    """Return the tracked instrument of `symbol`.

    Raises:
        NotFound: none is tracked under that symbol; the message lists those that are.
    """
    known = tracked_instruments(connection)
    for instrument in known:
        if instrument.symbol == symbol:
            return instrument
    names = ", ".join(instrument.symbol for instrument in known) or "none yet: run `chandlery demo`"
    raise NotFound(f"Symbol {symbol} is not tracked. Tracked symbols: {names}.")


def replace_sessions(connection: Writer, frame: pl.DataFrame) -> int:
    """Upsert sessions (frame in `SESSION_SCHEMA`) and return their number."""
    rows = frame.to_dicts()
    if not rows:
        return 0
    statement = insert(sessions)
    changed = {name: statement.excluded[name] for name in SESSION_SCHEMA if name not in {"calendar", "session"}}
    upsert = statement.on_conflict_do_update(index_elements=["calendar", "session"], set_=changed)
    connection.execute(upsert, rows)
    return len(rows)


def sessions_between(warehouse: Warehouse, calendar: str, start: date, end: date) -> pl.DataFrame:
    """Return the sessions with `start <= session < end`, ascending, in `SESSION_SCHEMA`."""
    columns = ", ".join(SESSION_SCHEMA)
    query = (
        f"select {columns} from ops.sessions where calendar = $1 and session >= $2 and session < $3 "  # noqa: S608 - fixed names
        "order by session"
    )
    frame = read_frame(warehouse, query, (calendar, start, end))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SESSION_SCHEMA.items())
