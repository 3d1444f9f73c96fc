"""Bring in whole market days: grouped daily bars, and the vendor's flat files of days and minutes.

One answer or file holds every listed stock of a session; the tracked ones become one window each. A flat file is
read again only if it was replaced (its ETag changed), and noted once the last of its windows is published.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from chandlery import clock
from chandlery.errors import InvalidInput, NotFound, SourceError
from chandlery.log import get_logger
from chandlery.market.bars import BAR_SCHEMA, check_range
from chandlery.market.finality import LATE
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.sources.flatfiles import FlatFiles, flat_path
from chandlery.sources.protocol import BarBatch, BarSource
from chandlery.steps.bars import Progress, silent
from chandlery.steps.batches import Answer, Outcome, judge_batches, publish_batch
from chandlery.steps.ingest_receipt import IngestReceipt, receipt_of
from chandlery.steps.planning import PlannedWindow, ticker_on
from chandlery.store.coverage import listing_dates, ticker_spans
from chandlery.store.flat_files import known_etag, note_file
from chandlery.store.ingest_windows import Window, begin_window, fail_window
from chandlery.store.sessions import sessions_between
from chandlery.store.universe import tracked_instruments
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_CALENDAR = "NYSE"


@dataclass(frozen=True, slots=True)
class MarketReceipt:
    """What one ingest of market days did; `unchanged` and `absent` are sessions without a new file.

    `dropped` counts rows of the whole market that no window can have: of another session, or of no symbol.
    """

    bars: IngestReceipt
    sessions: int
    dropped: int
    unchanged: tuple[date, ...]
    absent: tuple[date, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """Bars of a whole market: `symbol` and `BAR_SCHEMA`."""

    bars: pl.DataFrame
    source: str
    attempts: int
    dropped: int
    request_ids: tuple[str, ...]
    unpublished: tuple[str, ...]


def ingest_market_days(
    source: BarSource,
    warehouse: Warehouse,
    *,
    start: date,
    end: date,
    run_id: str | None = None,
    now: Callable[[], datetime] = clock.now,
    progress: Callable[[Progress], None] = silent,
) -> MarketReceipt:
    """Bring in the day bars of `[start, end)` of all tracked stocks by one call a session (grouped daily).

    Raises:
        SourceError: what the source said; earlier sessions are in.
        InvalidInput: `start >= end`.
    """

    def read(session: date) -> _Day:
        day = source.fetch_market_day(session)
        return _Day(day.bars, day.source, day.attempts, day.dropped, day.request_ids, ())

    return _Market(warehouse, Timeframe.D1, run_id, progress).bring_in(start, end, now(), read, lambda _session: None)


def ingest_flat_files(
    files: FlatFiles,
    warehouse: Warehouse,
    *,
    timeframe: Timeframe,
    start: date,
    end: date,
    run_id: str | None = None,
    now: Callable[[], datetime] = clock.now,
    progress: Callable[[Progress], None] = silent,
) -> MarketReceipt:
    """Bring in the flat files of `[start, end)` that are new or were replaced, for all tracked stocks.

    Flat files carry no vwap: a vwap known from elsewhere stays with a bar whose other values are the same.

    Raises:
        SourceError: a file could not be read; earlier sessions are in.
        InvalidInput: `start >= end`, another timeframe than 1m and 1d.
    """
    if timeframe not in BASE_TIMEFRAMES:
        raise InvalidInput(f"Timeframe was {timeframe}; flat files exist for {' and '.join(BASE_TIMEFRAMES)}.")
    versions: dict[date, Callable[[], None]] = {}

    def read(session: date) -> _Day | None:
        path = flat_path(timeframe, session)
        found = files.fetch(path, known_etag(warehouse, path))
        if found is None:
            return None
        rows = found.bars.height
        versions[session] = lambda: note_file(warehouse, path, etag=found.etag, size=found.size, rows=rows)
        return _Day(found.bars, "massive", 1, found.dropped, (found.etag,), ("vwap",))

    def done(session: date) -> None:
        versions.pop(session)()

    return _Market(warehouse, timeframe, run_id, progress).bring_in(start, end, now(), read, done)


@dataclass(frozen=True, slots=True)
class _Market:
    warehouse: Warehouse
    timeframe: Timeframe
    run_id: str | None
    progress: Callable[[Progress], None]

    def bring_in(
        self,
        start: date,
        end: date,
        moment: datetime,
        read: Callable[[date], _Day | None],
        done: Callable[[date], None],
    ) -> MarketReceipt:
        check_range(start, end)
        began = time.perf_counter()
        outcomes: list[Outcome] = []
        unchanged: list[date] = []
        absent: list[date] = []
        dropped = 0
        sessions = sessions_between(self.warehouse, _CALENDAR, start, end)
        sessions = sessions.filter(pl.col("close") + LATE <= moment)
        for place in range(sessions.height):
            session: date = sessions["session"][place]
            try:
                day = read(session)
            except NotFound as error:
                log.warning("market_day_absent", session=str(session), found=str(error))
                absent.append(session)
                continue
            except SourceError as error:
                self._fail(session, error.code)
                raise
            if day is None:
                unchanged.append(session)
            else:
                outcomes += self._windows(session, sessions.slice(place, 1), day)
                dropped += day.dropped
                done(session)
            rows = sum(item.seen for item in outcomes)
            label = f"{self.timeframe.value} of {session}"
            self.progress(Progress(label, place + 1, sessions.height, rows, time.perf_counter() - began))
        receipt = receipt_of(self.timeframe, outcomes, seconds=time.perf_counter() - began)
        return MarketReceipt(receipt, sessions.height, dropped, tuple(unchanged), tuple(absent))

    def _windows(self, session: date, row: pl.DataFrame, day: _Day) -> Iterator[Outcome]:
        by_symbol = {str(key[0]): frame for key, frame in day.bars.group_by("symbol", maintain_order=True)}
        windows, answers = [], []
        for place, (instrument, ticker) in enumerate(self._listed_on(session)):
            window = self._begin(instrument, session)
            batch = BarBatch(
                symbol=ticker,
                timeframe=self.timeframe,
                start=window.start,
                end=window.end,
                bars=by_symbol.get(ticker, day.bars.clear()).select(*BAR_SCHEMA),
                source=day.source,
                pages=1,
                # One answer brings all windows of the session: its requests are counted once.
                attempts=day.attempts if place == 0 else 0,
                dropped=0,
                request_ids=day.request_ids,
            )
            planned = PlannedWindow(instrument, self.timeframe, ticker, window.start, window.end, row)
            windows.append(window)
            answers.append(Answer(planned, batch, day.unpublished, is_whole_market=not day.bars.is_empty()))
        for window, judgement in zip(windows, judge_batches(answers), strict=True):
            yield publish_batch(self.warehouse, window, judgement)

    def _fail(self, session: date, code: str) -> None:
        for instrument, _ in self._listed_on(session):
            fail_window(self.warehouse, self._begin(instrument, session), code=code)

    def _begin(self, instrument: Instrument, session: date) -> Window:
        return begin_window(
            self.warehouse,
            instrument=instrument,
            timeframe=self.timeframe,
            start=session,
            end=session + timedelta(days=1),
            run_id=self.run_id,
        )

    def _listed_on(self, session: date) -> list[tuple[Instrument, str]]:
        """Return the tracked stocks that were listed on a day, as far as that is known, and their tickers then."""
        found = []
        with self.warehouse.read() as connection:
            for item in tracked_instruments(connection, including_delisted=True):
                first, last = listing_dates(connection, item.instrument_id)
                is_listed = (first is None or first <= session) and (last is None or session < last)
                if item.asset_class is AssetClass.STOCKS and is_listed:
                    tickers = ticker_spans(connection, item.instrument_id)
                    found.append((item, ticker_on(tickers, session, item.symbol)))
        return found
