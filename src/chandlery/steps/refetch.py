"""Ask a source again for the sessions of a finding: twice, because one answer proves nothing.

Two equal answers whose bars pass the audit and differ from what is held are an exact repair. Answers that confirm what
is held, contradict each other or are held again are noted as events of the finding, once each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from chandlery.errors import RateLimited, SourceError, Unavailable
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.quality.checks import Term
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.sources.protocol import BarSource
from chandlery.steps.batches import Answer, judge_batches
from chandlery.steps.planning import PlannedWindow, ticker_on
from chandlery.store.bars import Judged
from chandlery.store.coverage import ticker_spans
from chandlery.store.finding_notes import last_note, note_event
from chandlery.store.findings import StoredFinding
from chandlery.store.repair_bars import frame_of, rows_at
from chandlery.store.sessions import sessions_between
from chandlery.store.universe import read_record
from chandlery.store.warehouse import Warehouse

UNCHANGED, UNEQUAL, REFUSED, GONE = "refetch_unchanged", "refetch_unequal", "refetch_held_again", "refetch_without_bar"
_MOST_DAYS = 20
"""A finding over more days is no slip of one answer; asking for them twice would cost what a backfill costs."""


@dataclass(frozen=True, slots=True, eq=False)
class Refetched:
    """Two answers to one question: the first as judged, and whether the second was equal."""

    judged: Judged
    is_equal: bool


@dataclass
class Refetcher:
    """Asks once a run for each span of sessions; a symbol that fails is not asked for again, nor a source that is down.

    `failures` has the first error of each symbol.
    """

    source: BarSource
    warehouse: Warehouse
    failures: dict[str, SourceError] = field(default_factory=dict)
    _answers: dict[tuple[object, ...], Refetched] = field(default_factory=dict)
    _is_down: bool = False

    def ask(self, finding: StoredFinding) -> Refetched | None:
        """Return what the source says now of the sessions of a finding; None if it was not or cannot be asked."""
        is_long = (finding.last_session - finding.session).days >= _MOST_DAYS
        if finding.instrument_id is None or is_long or self._is_down or finding.symbol in self.failures:
            return None
        key = (finding.instrument_id, finding.timeframe, finding.session, finding.last_session)
        if key not in self._answers:
            try:
                self._answers[key] = self._ask(_planned(self.warehouse, finding, finding.instrument_id))
            except SourceError as error:
                self.failures[finding.symbol] = error
                self._is_down = isinstance(error, Unavailable | RateLimited)
                return None
        return self._answers[key]

    def _ask(self, planned: PlannedWindow) -> Refetched:
        question = (planned.ticker, planned.timeframe, planned.start, planned.end)
        first, second = (self.source.fetch_bars(*question) for _ in range(2))
        (judgement,) = judge_batches([Answer(planned, first)])
        return Refetched(judgement.judged, first.bars.equals(second.bars))


def refetched_proposal(warehouse: Warehouse, finding: StoredFinding, answer: Refetched) -> Proposal | str:
    """Return what the answer proposes for a finding of an instrument, or the event that says why it does not."""
    if not answer.is_equal:
        return UNEQUAL
    scope = _scope(finding)
    passed = answer.judged.passed.filter(scope).select(*BAR_SCHEMA)
    again = answer.judged.held.filter(scope)
    instants = pl.concat([passed.get_column("ts"), again.get_column("ts")]).unique().sort().to_list() or [finding.ts]
    with warehouse.read() as connection:
        before = rows_at(connection, finding.instrument_id or 0, Timeframe(finding.timeframe), instants)
    now = frame_of(before)
    if answer.judged.blocked or (passed.is_empty() and not again.is_empty()):
        is_known = again.join(now, on=list(BAR_SCHEMA), how="anti", nulls_equal=True).is_empty()
        return UNCHANGED if is_known else REFUSED
    if passed.is_empty():
        return UNCHANGED if now.is_empty() else GONE
    is_published = passed.join(_published(before), on=list(BAR_SCHEMA), how="anti", nulls_equal=True).is_empty()
    if is_published and not any("held" in row for row in before):
        return UNCHANGED
    evidence = {
        "answers": 2,
        "source": answer.judged.source,
        "request_ids": list(answer.judged.request_ids),
        "payload_sha256": answer.judged.payload_sha256,
    }
    return Proposal(Method.REFETCH, is_exact=True, before=now, after=passed, evidence=evidence)


def note_refetch(warehouse: Warehouse, finding: StoredFinding, event: str, answer: Refetched, *, actor: str) -> None:
    """Note what asking again has shown; the same as the last time is not noted a second time."""
    detail = {"payload_sha256": answer.judged.payload_sha256, "bars": answer.judged.rows_seen}
    with warehouse.write() as connection:
        if last_note(connection, finding.finding_id, "refetch_") != (event, detail):
            note_event(connection, finding.finding_id, event, actor=actor, detail=detail)


def _planned(warehouse: Warehouse, finding: StoredFinding, instrument_id: int) -> PlannedWindow:
    end = finding.last_session + timedelta(days=1)
    with warehouse.read() as connection:
        instrument = read_record(connection, instrument_id).instrument
        ticker = ticker_on(ticker_spans(connection, instrument_id), finding.session, instrument.symbol)
    sessions = sessions_between(warehouse, instrument.calendar, finding.session, end)
    return PlannedWindow(instrument, Timeframe(finding.timeframe), ticker, finding.session, end, sessions)


def _scope(finding: StoredFinding) -> pl.Expr:
    """Return which bars of the answer the finding is about; what else has changed is for the next ingest."""
    if finding.term == Term.COMPLETENESS.value:
        return pl.lit(value=True)
    if finding.ts_end is None:
        return pl.col("ts") == finding.ts
    return (pl.col("ts") >= finding.ts) & (pl.col("ts") < finding.ts_end)


def _published(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    return frame_of(row for row in rows if "held" not in row)
