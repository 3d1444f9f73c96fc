"""What an ingest did, in figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from chandlery.market.timeframes import Timeframe
from chandlery.reports.preview import sparkline_svg
from chandlery.steps.batches import Outcome


@dataclass(frozen=True, slots=True)
class SymbolIngest:
    """Figures of one instrument; `source` names who published its bars."""

    symbol: str
    windows: int
    rows_seen: int
    rows_new: int
    rows_revised: int
    rows_withdrawn: int
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
    """What one ingest did.

    Attributes:
        timeframe: 1m or 1d.
        symbols: figures by instrument.
        blocked: windows held as a whole.
        suspected_empty: windows whose answer was empty although the calendar has sessions.
        reasons: how many versions came for which reason.
        sessions: (instrument, session) pairs of which a bar changed.
        contract: Great Expectations results.
        pages: answers.
        requests: requests, retries included.
        rows_dropped: rows outside their window.
        findings: findings of the audit.
        seconds: wall time.
        plot: bars per day, as SVG.
    """

    timeframe: Timeframe
    symbols: tuple[SymbolIngest, ...]
    blocked: tuple[str, ...]
    suspected_empty: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    sessions: int
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


def receipt_of(timeframe: Timeframe, outcomes: Sequence[Outcome], *, seconds: float) -> IngestReceipt:
    """Sum up what went through the gate."""
    return IngestReceipt(
        timeframe=timeframe,
        symbols=tuple(
            _symbol_figures(symbol, outcomes)
            for symbol in dict.fromkeys(item.planned.instrument.symbol for item in outcomes)
        ),
        blocked=tuple(item.planned.label for item in outcomes if item.is_held),
        suspected_empty=tuple(item.planned.label for item in outcomes if item.published.status == "empty_suspected"),
        reasons=_reasons(outcomes),
        sessions=sum(len(item.published.sessions) for item in outcomes),
        contract=_expectations(outcomes),
        pages=sum(item.pages for item in outcomes),
        requests=sum(item.requests for item in outcomes),
        rows_dropped=sum(item.dropped for item in outcomes),
        findings=sum(item.audit.findings.height for item in outcomes),
        seconds=seconds,
        plot=_plot(item.per_day for item in outcomes),
    )


def _symbol_figures(symbol: str, outcomes: Sequence[Outcome]) -> SymbolIngest:
    mine = [item for item in outcomes if item.planned.instrument.symbol == symbol]
    return SymbolIngest(
        symbol=symbol,
        windows=len(mine),
        rows_seen=sum(item.seen for item in mine),
        rows_new=sum(item.published.rows_new for item in mine),
        rows_revised=sum(item.published.rows_revised for item in mine),
        rows_withdrawn=sum(item.published.rows_withdrawn for item in mine),
        rows_held=sum(item.held for item in mine),
        source="+".join(sorted({item.source for item in mine})),
    )


def _reasons(outcomes: Sequence[Outcome]) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for item in outcomes:
        counts.update(dict(item.published.reasons))
        counts.update({"withdrawn": item.published.rows_withdrawn})
    return tuple((reason, count) for reason, count in sorted(counts.items()) if count)


def _expectations(outcomes: Sequence[Outcome]) -> tuple[Expectation, ...]:
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
