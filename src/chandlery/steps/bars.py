"""Fetch bars and bring them in by write, audit, publish: window by window, each in full or not at all."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from chandlery.errors import Blocked, InvalidInput, RateLimited, SourceError, Unavailable
from chandlery.log import get_logger
from chandlery.market.bars import check_range
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.audit import Audit, audit
from chandlery.quality.context import AuditContext
from chandlery.quality.gx import BatchContract, ContractResult
from chandlery.reports.preview import sparkline_svg
from chandlery.sources.protocol import BarBatch, BarSource
from chandlery.store import landing
from chandlery.store.universe import find_instrument, sessions_between, tracked_instruments
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_SESSIONS_A_WINDOW = {Timeframe.M1: 52, Timeframe.D1: 5_000}
"""52 sessions of minutes are 20,280 bars of a stock, 74,880 of crypto: one or two pages."""


@dataclass(frozen=True, slots=True)
class SymbolIngest:
    """Figures of one instrument; `source` names who published its bars."""

    symbol: str
    windows: int
    rows_seen: int
    rows_new: int
    rows_revised: int
    rows_held: int
    source: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """One Great Expectations result, summed over the batches of a run; `first` is the first offending ts."""

    name: str
    batches: int
    unexpected: int
    first: datetime | None


@dataclass(frozen=True, slots=True)
class IngestReceipt:
    """What one ingest did."""

    timeframe: Timeframe
    symbols: tuple[SymbolIngest, ...]
    blocked: tuple[str, ...]
    contract: tuple[Expectation, ...]
    pages: int
    requests: int
    rows_dropped: int
    findings: int
    seconds: float
    plot: str

    def total(self, figure: str) -> int:
        """Return the sum of a figure (`rows_seen`, `rows_new`, ...) over the symbols."""
        return sum(int(getattr(item, figure)) for item in self.symbols)


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """One window that went through the gate."""

    symbol: str
    label: str
    source: str
    audit: Audit
    contract: ContractResult
    held: int
    published: landing.Published
    seen: int
    dropped: int
    pages: int
    requests: int
    per_day: pl.DataFrame


def ingest_bars(
    source: BarSource,
    warehouse: Warehouse,
    *,
    timeframe: Timeframe,
    start: date,
    end: date,
    spans: Mapping[str, tuple[date, date]] | None = None,
    run_id: str | None = None,
) -> IngestReceipt:
    """Bring in the bars of the sessions `[start, end)` for all tracked instruments.

    With `spans` only for its symbols, each for the part of its own `[start, end)` that lies in the run's: a source
    need not have every symbol for the whole of it, and a session asked for in vain counts as incomplete.

    Each window lands, is audited and is published in one transaction; what fails the audit is held with its
    findings. A symbol that fails does not hold back the others; a source that is down ends the run. Repeating an
    ingest, also after a kill, gives the same rows.

    Raises:
        SourceError: what the source said of the first symbol that failed, after the others were brought in.
        Blocked: every window was held.
        InvalidInput: `start >= end`.
    """
    check_range(start, end)
    began = time.perf_counter()
    outcomes: list[_Outcome] = []
    failures: list[tuple[str, SourceError]] = []
    for instrument, span in _chosen(warehouse, spans or {}, (start, end)):
        try:
            for first, last, sessions in _windows(warehouse, instrument, timeframe, span):
                context = AuditContext(instrument, timeframe, first, last, sessions)
                outcomes.append(_ingest_window(source, warehouse, context, run_id=run_id))
        except SourceError as error:
            failures.append((instrument.symbol, error))
            if isinstance(error, Unavailable | RateLimited):
                break
    _raise_failures(failures, done=len(outcomes))
    receipt = _receipt(timeframe, outcomes, seconds=time.perf_counter() - began)
    if outcomes and len(receipt.blocked) == len(outcomes):
        raise Blocked(f"Every batch was held by the audit: {'; '.join(receipt.blocked)}. See `ops.findings`.")
    return receipt


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


def _chosen(
    warehouse: Warehouse, spans: Mapping[str, tuple[date, date]], run: tuple[date, date]
) -> list[tuple[Instrument, tuple[date, date]]]:
    with warehouse.read() as connection:
        if not spans:
            return [(instrument, run) for instrument in tracked_instruments(connection)]
        clipped = {symbol: (max(first, run[0]), min(last, run[1])) for symbol, (first, last) in spans.items()}
        return [(find_instrument(connection, symbol), span) for symbol, span in clipped.items() if span[0] < span[1]]


def _windows(
    warehouse: Warehouse, instrument: Instrument, timeframe: Timeframe, span: tuple[date, date]
) -> Iterator[tuple[date, date, pl.DataFrame]]:
    """Yield (start, end, sessions) of windows that follow each other without a gap; none without sessions."""
    start, end = span
    sessions = sessions_between(warehouse, instrument.calendar, start, end)
    size = _SESSIONS_A_WINDOW[timeframe]
    for offset in range(0, sessions.height, size):
        first = start if offset == 0 else sessions["session"][offset]
        last = end if offset + size >= sessions.height else sessions["session"][offset + size]
        yield first, last, sessions.slice(offset, size)


def _ingest_window(source: BarSource, warehouse: Warehouse, context: AuditContext, *, run_id: str | None) -> _Outcome:
    symbol, timeframe = context.instrument.symbol, context.timeframe
    window = landing.begin_window(
        warehouse,
        instrument_id=context.instrument.instrument_id,
        timeframe=timeframe,
        start=context.start,
        end=context.end,
        run_id=run_id,
    )
    try:
        batch = source.fetch_bars(symbol, timeframe, context.start, context.end)
    except SourceError as error:
        landing.fail_window(warehouse, window, code=error.code)
        raise
    landing.land(warehouse, window, batch.bars)
    outcome = _judge_and_publish(warehouse, window, batch, context)
    log.info(
        "window_ingested",
        symbol=symbol,
        timeframe=timeframe.value,
        seen=outcome.seen,
        new=outcome.published.rows_new,
        revised=outcome.published.rows_revised,
        held=outcome.held,
    )
    return outcome


def _judge_and_publish(
    warehouse: Warehouse, window: landing.Window, batch: BarBatch, context: AuditContext
) -> _Outcome:
    verdict = audit(batch.bars, context)
    contract = BatchContract().validate(batch.bars, context)
    held = _held(verdict, contract)
    seen = batch.bars.height
    published = landing.publish(
        warehouse,
        window,
        held=tuple(held),
        held_rules=tuple(held.values()),
        found=verdict.findings,
        source=batch.source,
        facts={"rows_seen": seen, "rows_dropped": batch.dropped, "pages": batch.pages},
        blocked=verdict.blocked,
    )
    return _Outcome(
        symbol=batch.symbol,
        label=f"{batch.symbol} {batch.timeframe.value} {batch.start} to {batch.end}",
        source=batch.source,
        audit=verdict,
        contract=contract,
        held=seen if verdict.blocked else len(held),
        published=published,
        seen=seen,
        dropped=batch.dropped,
        pages=batch.pages,
        requests=batch.attempts,
        per_day=batch.bars.group_by(pl.col("ts").dt.date().alias("day")).len(),
    )


def _held(verdict: Audit, contract: ContractResult) -> dict[int, tuple[str, ...]]:
    """Return the rows either judge holds, with the names of the rules, ascending by row."""
    held = dict(zip(verdict.held, verdict.held_rules, strict=True))
    for result in contract.expectations:
        for row in result.rows:
            names = held.get(row, ())
            rule = result.name.partition(":")[0]
            held[row] = names if rule in names else (*names, rule)
    return dict(sorted(held.items()))


def _raise_failures(failures: list[tuple[str, SourceError]], *, done: int) -> None:
    if not failures:
        return
    symbol, first = failures[0]
    others = f" So did {', '.join(name for name, _ in failures[1:])}." if failures[1:] else ""
    raise type(first)(
        f"{symbol} could not be ingested: {first}{others} {done} windows passed the gate; a rerun brings in the rest."
    ) from first


def _receipt(timeframe: Timeframe, outcomes: list[_Outcome], *, seconds: float) -> IngestReceipt:
    return IngestReceipt(
        timeframe=timeframe,
        symbols=tuple(_symbol_figures(symbol, outcomes) for symbol in dict.fromkeys(item.symbol for item in outcomes)),
        blocked=tuple(item.label for item in outcomes if item.audit.blocked),
        contract=_expectations(outcomes),
        pages=sum(item.pages for item in outcomes),
        requests=sum(item.requests for item in outcomes),
        rows_dropped=sum(item.dropped for item in outcomes),
        findings=sum(item.audit.findings.height for item in outcomes),
        seconds=seconds,
        plot=_plot(item.per_day for item in outcomes),
    )


def _symbol_figures(symbol: str, outcomes: list[_Outcome]) -> SymbolIngest:
    mine = [item for item in outcomes if item.symbol == symbol]
    return SymbolIngest(
        symbol=symbol,
        windows=len(mine),
        rows_seen=sum(item.seen for item in mine),
        rows_new=sum(item.published.rows_new for item in mine),
        rows_revised=sum(item.published.rows_revised for item in mine),
        rows_held=sum(item.held for item in mine),
        source="+".join(sorted({item.source for item in mine})),
    )


def _expectations(outcomes: list[_Outcome]) -> tuple[Expectation, ...]:
    named: dict[str, Expectation] = {}
    for result in (result for item in outcomes for result in item.contract.expectations):
        seen = named.get(result.name, Expectation(result.name, 0, 0, None))
        named[result.name] = Expectation(
            result.name, seen.batches + 1, seen.unexpected + result.unexpected, seen.first or result.first_ts
        )
    return tuple(named.values())


def _plot(per_day: Iterable[pl.DataFrame]) -> str:
    """Return a drawing of bars per day over all symbols."""
    days = pl.concat([pl.DataFrame(schema={"day": pl.Date, "len": pl.UInt32}), *per_day])
    totals = days.group_by("day").agg(pl.col("len").sum()).sort("day")
    return sparkline_svg([float(count) for count in totals["len"].to_list()], width=640, height=80)
