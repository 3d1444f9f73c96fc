"""Plan an ingest: which windows to ask for, under which ticker, in which order.

A window holds as many sessions as one answer of 50,000 bars covers, by the bars this series usually has. It never
crosses a change of ticker, because the source knows the days before it under the old one, and a window that was begun
and not finished is asked for again as it was, so that its state is settled.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from itertools import groupby
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.calendar import ZONES
from chandlery.market.finality import LATE
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.coverage import TickerSpan, done_spans, listing_dates, open_spans, ticker_spans, usual_bars
from chandlery.store.sessions import sessions_between
from chandlery.store.universe import find_instrument, tracked_instruments
from chandlery.store.warehouse import Reader, Warehouse

BARS_AN_ANSWER = 50_000
_DAYS_A_WINDOW = 5_000
_UNKNOWN_BARS = {AssetClass.CRYPTO: 1440}
_EXTENDED_MINUTES = 960
"""04:00 to 20:00 New York: what a listed instrument can have at most."""

Span = tuple[date, date]


@dataclass(frozen=True, slots=True, eq=False)
class PlannedWindow:
    """One request to come: `[start, end)` sessions of an instrument under the ticker it had then."""

    instrument: Instrument
    timeframe: Timeframe
    ticker: str
    start: date
    end: date
    sessions: pl.DataFrame

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.ticker} {self.timeframe.value} {self.start} to {self.end}"


@dataclass(frozen=True, slots=True)
class Request:
    """What an ingest is asked for.

    Attributes:
        timeframe: 1m or 1d.
        start: first session.
        end: session after the last one.
        spans: symbol -> `[start, end)`; with any, only these symbols, each within the request's days.
        only_missing: leave out sessions that a finished window already covers.
        run_id: leave out what this run has finished before (a re-execution goes on where it was).
    """

    timeframe: Timeframe
    start: date
    end: date
    spans: Mapping[str, Span]
    only_missing: bool
    run_id: str | None


def plan_ingest(warehouse: Warehouse, request: Request, *, now: datetime) -> list[PlannedWindow]:
    """Return the windows to ask for, by symbol and start.

    Sessions before the listing, after the delisting and not yet over at `now` are left out.

    Raises:
        NotFound: a symbol of `spans` is not tracked.
    """
    planned: list[PlannedWindow] = []
    with warehouse.read() as connection:
        chosen = _chosen(connection, request)
        facts = {instrument.instrument_id: _facts(connection, instrument, request) for instrument, _ in chosen}
    # Most instruments share a calendar and a span; asking for the sessions takes as long as all other facts of one.
    sessions_of = cache(partial(sessions_between, warehouse))
    for instrument, span in chosen:
        planned += _windows(sessions_of, instrument, request.timeframe, span, facts[instrument.instrument_id], now)
    return planned


@dataclass(frozen=True, slots=True)
class _Facts:
    tickers: tuple[TickerSpan, ...]
    listed: tuple[date | None, date | None]
    done: tuple[Span, ...]
    unfinished: tuple[Span, ...]
    sessions_a_window: int


def _chosen(connection: Reader, request: Request) -> list[tuple[Instrument, Span]]:
    if not request.spans:
        return [(instrument, (request.start, request.end)) for instrument in _tracked(connection)]
    clipped = {
        symbol: (max(first, request.start), min(last, request.end)) for symbol, (first, last) in request.spans.items()
    }
    known = {instrument.symbol: instrument for instrument in _tracked(connection)}
    return [
        (known.get(symbol) or find_instrument(connection, symbol), span)
        for symbol, span in clipped.items()
        if span[0] < span[1]
    ]


def _tracked(connection: Reader) -> tuple[Instrument, ...]:
    """Return what is tracked, with the delisted: their history is asked for as well."""
    return tracked_instruments(connection, including_delisted=True)


def _facts(connection: Reader, instrument: Instrument, request: Request) -> _Facts:
    done: tuple[Span, ...] = ()
    if request.only_missing or request.run_id is not None:
        run_id = None if request.only_missing else request.run_id
        done = done_spans(connection, instrument.instrument_id, request.timeframe, run_id=run_id)
    usual = usual_bars(connection, instrument.instrument_id, request.timeframe)
    return _Facts(
        tickers=ticker_spans(connection, instrument.instrument_id),
        listed=listing_dates(connection, instrument.instrument_id),
        done=done,
        unfinished=open_spans(connection, instrument.instrument_id, request.timeframe),
        sessions_a_window=_size(instrument, request.timeframe, usual),
    )


def _size(instrument: Instrument, timeframe: Timeframe, usual: float | None) -> int:
    if timeframe is Timeframe.D1:
        return _DAYS_A_WINDOW
    expected = usual or _UNKNOWN_BARS.get(instrument.asset_class, _EXTENDED_MINUTES)
    return max(1, int(BARS_AN_ANSWER / expected))


def _windows(  # noqa: PLR0917 - one series with all that is known of it
    sessions_of: Callable[[str, date, date], pl.DataFrame],
    instrument: Instrument,
    timeframe: Timeframe,
    span: Span,
    facts: _Facts,
    now: datetime,
) -> Iterator[PlannedWindow]:
    start, end = _within_listing(span, facts.listed)
    if start >= end:
        return
    every = sessions_of(instrument.calendar, start, end)
    closed = every.filter(pl.col("close") + LATE <= now)
    # A day that has not come is refused by the vendor even where it is no session.
    is_over = end <= now.astimezone(ZoneInfo(ZONES[instrument.calendar])).date() and closed.height == every.height
    days: list[date] = closed["session"].to_list()
    if not days:
        return
    tickers = [ticker_on(facts.tickers, day, instrument.symbol) for day in days]
    wanted = [not any(first <= day < stop for first, stop in facts.done) for day in days]
    span = (start, end if is_over else days[-1] + timedelta(days=1))
    resumed = _resumed(days, tickers, wanted, facts.unfinished, span)
    for first, stop in _runs(tickers, wanted, resumed, facts.sessions_a_window):
        begin, until = _borders(days, resumed, first, stop, span)
        sessions = closed.slice(first, stop - first)
        yield PlannedWindow(instrument, timeframe, tickers[first], begin, until, sessions)


def _resumed(
    days: list[date], tickers: list[str], wanted: list[bool], unfinished: Iterable[Span], span: Span
) -> list[Span | None]:
    """Return for every session the unfinished window that is asked for again as it was, if one holds it.

    It has to lie in the span, all its sessions have to be wanted under one ticker, and it may not overlap another.
    """
    resumed: list[Span | None] = [None] * len(days)
    for window in unfinished:
        first, stop = bisect_left(days, window[0]), bisect_left(days, window[1])
        is_inside = span[0] <= window[0] and window[1] <= span[1]
        is_free = not any(resumed[first:stop]) and all(wanted[first:stop])
        if is_inside and is_free and len(set(tickers[first:stop])) == 1:
            resumed[first:stop] = [window] * (stop - first)
    return resumed


def _runs(tickers: list[str], wanted: list[bool], resumed: list[Span | None], size: int) -> Iterator[tuple[int, int]]:
    """Yield `[first, stop)` places of wanted sessions that follow each other: resumed windows, and new ones to size."""
    place = 0
    for (_, is_wanted, window), group in groupby(zip(tickers, wanted, resumed, strict=True)):
        stop = place + sum(1 for _ in group)
        step = size if window is None else stop - place
        if is_wanted:
            yield from ((first, min(stop, first + step)) for first in range(place, stop, step))
        place = stop


def _borders(days: list[date], resumed: list[Span | None], first: int, stop: int, span: Span) -> Span:
    """Return `[start, end)` of a window; days without session go to the one before, at the very start to the first.

    A bar on a day without session shows up then. Resumed windows keep their borders.
    """
    mine = resumed[first]
    if mine is not None:
        return mine
    before = resumed[first - 1] if first else None
    begin = before[1] if before else days[first] if first else span[0]
    after = resumed[stop] if stop < len(days) else None
    until = after[0] if after else days[stop] if stop < len(days) else span[1]
    return begin, until


def _within_listing(span: Span, listed: tuple[date | None, date | None]) -> Span:
    first, last = listed
    start = span[0] if first is None else max(span[0], first)
    end = span[1] if last is None else min(span[1], last)
    return start, end


def ticker_on(tickers: tuple[TickerSpan, ...], day: date, present: str) -> str:
    """Return what an instrument was called on a day; `present` where its history does not reach back."""
    for span in tickers:
        if span.start <= day and (span.end is None or day < span.end):
            return span.ticker
    return present
