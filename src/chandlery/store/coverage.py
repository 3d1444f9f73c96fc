"""What is known of a series: its tickers over time, what was brought in, how many bars a session has."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Double, cast, func, select

from chandlery.market.timeframes import Timeframe
from chandlery.store.ingest_windows import DONE
from chandlery.store.tables import bar_sessions, ingest_windows, instrument_tickers, instruments
from chandlery.store.warehouse import Reader, Writer


@dataclass(frozen=True, slots=True)
class TickerSpan:
    """An instrument was called `ticker` on the days `start <= day < end`; None is without end."""

    ticker: str
    start: date
    end: date | None


def ticker_spans(connection: Reader | Writer, instrument_id: int) -> tuple[TickerSpan, ...]:
    """Return the tickers of an instrument, ascending by first day."""
    query = (
        select(instrument_tickers.c.ticker, instrument_tickers.c.valid_from, instrument_tickers.c.valid_to)
        .where(instrument_tickers.c.instrument_id == instrument_id)
        .order_by(instrument_tickers.c.valid_from)
    )
    return tuple(TickerSpan(row[0], row[1], row[2]) for row in connection.execute(query))


def listing_dates(connection: Reader, instrument_id: int) -> tuple[date | None, date | None]:
    """Return the first day an instrument was listed and the day after the last one, None where unknown."""
    query = select(instruments.c.listed_on, instruments.c.delisted_on).where(
        instruments.c.instrument_id == instrument_id
    )
    row = connection.execute(query).one()
    return row[0], row[1]


def done_spans(
    connection: Reader, instrument_id: int, timeframe: Timeframe, *, run_id: str | None
) -> tuple[tuple[date, date], ...]:
    """Return the windows `[start, end)` of a series that need no further attempt, ascending.

    Args:
        connection: a snapshot.
        instrument_id: whose.
        timeframe: 1m or 1d.
        run_id: only what this run did; None: any run.
    """
    mine = [
        ingest_windows.c.instrument_id == instrument_id,
        ingest_windows.c.timeframe == timeframe.value,
        ingest_windows.c.status.in_(DONE),
    ]
    if run_id is not None:
        mine.append(ingest_windows.c.run_id == run_id)
    columns = (ingest_windows.c.start_session, ingest_windows.c.end_session)
    rows = connection.execute(select(*columns).where(*mine).order_by(*columns))
    return tuple((row[0], row[1]) for row in rows)


def open_spans(connection: Reader, instrument_id: int, timeframe: Timeframe) -> tuple[tuple[date, date], ...]:
    """Return the windows `[start, end)` of a series that were begun and are not done, ascending."""
    columns = (ingest_windows.c.start_session, ingest_windows.c.end_session)
    mine = (
        ingest_windows.c.instrument_id == instrument_id,
        ingest_windows.c.timeframe == timeframe.value,
        ingest_windows.c.status.not_in((*DONE, "planned")),
    )
    rows = connection.execute(select(*columns).where(*mine).order_by(*columns))
    return tuple((row[0], row[1]) for row in rows)


def usual_bars(connection: Reader, instrument_id: int, timeframe: Timeframe) -> float | None:
    """Return the 95th percentile of bars a session has had, None before the first bar."""
    counts = cast(bar_sessions.c.bars, Double)
    query = select(func.percentile_cont(0.95).within_group(counts)).where(
        bar_sessions.c.instrument_id == instrument_id,
        bar_sessions.c.timeframe == timeframe.value,
        bar_sessions.c.bars > 0,
    )
    value = connection.execute(query).scalar()
    return None if value is None else float(value)
