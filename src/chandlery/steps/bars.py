"""Fetch bars and bring them in by write, audit, publish: window by window, each in full or not at all."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from chandlery import clock
from chandlery.errors import Blocked, InvalidInput, RateLimited, SourceError, Unavailable
from chandlery.market.bars import check_range
from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import BarBatch, BarSource
from chandlery.steps.batches import Outcome
from chandlery.steps.ingest_receipt import Expectation, IngestReceipt, SymbolIngest, receipt_of
from chandlery.steps.planning import PlannedWindow, Request, plan_ingest
from chandlery.steps.pool import Pool
from chandlery.store.ingest_windows import Window, begin_window, fail_window, plan_windows
from chandlery.store.statistics import settle_load
from chandlery.store.warehouse import Warehouse

__all__ = ["Expectation", "IngestReceipt", "Progress", "SymbolIngest", "ingest_bars", "parse_span", "silent"]

_LARGE_LOAD = 100_000
"""New bars after which the tables are vacuumed and analyzed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is after one more window."""

    label: str
    done: int
    total: int
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows brought in so far by the second."""
        return self.rows / max(self.seconds, 1e-9)

    @property
    def eta_s(self) -> float:
        """Seconds the remaining windows take at the pace so far."""
        return self.seconds / max(self.done, 1) * (self.total - self.done)

    @property
    def text(self) -> str:
        """One line for a person."""
        return (
            f"{self.label}: {self.done}/{self.total}, {self.rows:,} bars, {self.rows_per_second:,.0f}/s, "
            f"{self.eta_s:.0f} s left"
        )


def silent(progress: Progress) -> None:
    """Tell nobody."""


def ingest_bars(
    source: BarSource,
    warehouse: Warehouse,
    *,
    timeframe: Timeframe,
    start: date,
    end: date,
    spans: Mapping[str, tuple[date, date]] | None = None,
    only_missing: bool = False,
    run_id: str | None = None,
    now: Callable[[], datetime] = clock.now,
    progress: Callable[[Progress], None] = silent,
) -> IngestReceipt:
    """Bring in the bars of the sessions `[start, end)` for all tracked instruments.

    With `spans` only for its symbols, each for the part of its own `[start, end)` that lies in the run's: a source
    need not have every symbol for the whole of it, and a session asked for in vain counts as incomplete. With
    `only_missing` sessions of finished windows are left out, and so are in any case those that this very `run_id`
    finished before a kill: a re-execution goes on where it was.

    Each window is audited and published in one transaction; what fails the audit is held with its findings. A symbol
    that fails does not hold back the others; a source that is down ends the run. Repeating an ingest, also after a
    kill, gives the same rows.

    Raises:
        SourceError: what the source said of the first symbol that failed, after the others were brought in.
        Blocked: every window was held.
        InvalidInput: `start >= end`.
    """
    check_range(start, end)
    began = time.perf_counter()
    request = Request(timeframe, start, end, dict(spans or {}), only_missing, run_id)
    planned = plan_ingest(warehouse, request, now=now())
    with warehouse.kept() as kept:
        _record_plan(kept, timeframe, planned)
        outcomes, failures = _work_off(source, kept, planned, run_id, progress)
    _raise_failures(failures, done=len(outcomes))
    if sum(item.published.rows_new for item in outcomes) >= _LARGE_LOAD:
        settle_load(warehouse, timeframe)
    receipt = receipt_of(timeframe, outcomes, seconds=time.perf_counter() - began)
    if outcomes and len(receipt.blocked) == len(outcomes):
        raise Blocked(f"Every batch was held by the audit: {'; '.join(receipt.blocked)}. See `ops.findings`.")
    return receipt


def _record_plan(warehouse: Warehouse, timeframe: Timeframe, planned: Sequence[PlannedWindow]) -> None:
    for instrument, mine in groupby(planned, key=lambda item: item.instrument):
        plan_windows(warehouse, instrument, timeframe, [(item.start, item.end) for item in mine])


def _work_off(
    source: BarSource,
    warehouse: Warehouse,
    planned: Sequence[PlannedWindow],
    run_id: str | None,
    progress: Callable[[Progress], None],
) -> tuple[list[Outcome], list[tuple[str, SourceError]]]:
    """Fetch and judge windows while those before them are written."""
    began = time.perf_counter()
    failures: list[tuple[str, SourceError]] = []
    with ThreadPoolExecutor(1) as writer:
        pool = Pool(warehouse, writer)
        for place, item in enumerate(planned, start=1):
            symbol = item.instrument.symbol
            if any(failed == symbol for failed, _ in failures):
                continue
            asked_at = time.perf_counter()
            try:
                window, batch = _fetch(source, warehouse, item, run_id=run_id)
            except SourceError as error:
                failures.append((symbol, error))
                if isinstance(error, Unavailable | RateLimited):
                    break
                continue
            pool.add(window, item, batch, seconds=time.perf_counter() - asked_at)
            progress(Progress(item.label, place, len(planned), pool.rows, time.perf_counter() - began))
        return pool.close(), failures


def _fetch(
    source: BarSource, warehouse: Warehouse, item: PlannedWindow, *, run_id: str | None
) -> tuple[Window, BarBatch]:
    window = begin_window(
        warehouse,
        instrument=item.instrument,
        timeframe=item.timeframe,
        start=item.start,
        end=item.end,
        run_id=run_id,
    )
    try:
        return window, source.fetch_bars(item.ticker, item.timeframe, item.start, item.end)
    except SourceError as error:
        fail_window(warehouse, window, code=error.code)
        raise


def parse_span(text: str) -> tuple[date, date]:
    """Return `FIRST...LAST`, both inclusive as in Dagster's partition ranges, as `[start, end)`.

    Raises:
        InvalidInput: it is not two ISO dates, or they are reversed.
    """
    first, _, last = text.partition("...")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    except ValueError as error:
        raise InvalidInput(f"Span was {text!r}; it is FIRST...LAST, for example 2013-01-02...2013-03-01.") from error
    check_range(start, end)
    return start, end


def _raise_failures(failures: list[tuple[str, SourceError]], *, done: int) -> None:
    if not failures:
        return
    symbol, first = failures[0]
    others = f" So did {', '.join(name for name, _ in failures[1:])}." if failures[1:] else ""
    raise type(first)(
        f"{symbol} could not be ingested: {first}{others} {done} windows passed the gate; a rerun brings in the rest."
    ) from first
