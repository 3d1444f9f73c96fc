"""Judge what is published: every series whose bars or witnesses changed, then every venue; findings are recorded.

A stretch of a series is judged and recorded in one transaction, with the note that it was: a kill leaves it judged or
not. Equal input writes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from time import perf_counter

from chandlery.log import get_logger
from chandlery.market.bars import check_range
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.quality.judge import Judgement, judge_series, judge_venue
from chandlery.quality.series.view import SeriesView
from chandlery.quality.venue.view import VenueView
from chandlery.steps.bars import Progress, silent
from chandlery.steps.judge_receipt import Judged, JudgeReceipt, SeriesFailure, judge_receipt
from chandlery.steps.judging_run import ALONE, JudgeRequest, JudgeRun, failed_series, prepare_run
from chandlery.steps.judging_series import JudgedSeries, judge_all
from chandlery.steps.judging_venues import VenueInputs, venue_islands, venue_view
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.judging import note_venue
from chandlery.store.recorded_findings import Scope, record
from chandlery.store.warehouse import Warehouse

__all__ = ["JudgeReceipt", "SeriesFailure", "checked_thresholds", "judge_quality"]

log = get_logger(__name__)


def judge_quality(
    warehouse: Warehouse,
    *,
    start: date,
    end: date,
    now: datetime,
    thresholds: Mapping[str, float],
    symbols: Sequence[str] = (),
    rejudge: bool = False,
    progress: Callable[[Progress], None] = silent,
    judge: Callable[[SeriesView], Judgement] = judge_series,
    judge_venue: Callable[[VenueView], Judgement] = judge_venue,
) -> JudgeReceipt:
    """Judge the sessions `[start, end)` of every tracked series whose inputs changed since, then their venues.

    A series that fails does not hold back the others; the receipt names it, and the next run tries again.

    Args:
        warehouse: where.
        start: first session.
        end: session after the last one.
        now: the instant of judging, which decides what is late.
        thresholds: those not at their default, as `checked_thresholds` returns them.
        symbols: only these; none: all, those listed no more included.
        rejudge: also what has not changed.
        progress: told after every instrument.
        judge: judges one series; the default evaluates every rule of the registry.
        judge_venue: the same of a venue.

    Raises:
        InvalidInput: `start >= end`, or an impossible symbol.
        NotFound: a symbol is not tracked.
        DatabaseDown: the warehouse does not answer; what was recorded stays.
    """
    check_range(start, end)
    began = perf_counter()
    request = JudgeRequest(
        start=start,
        end=end,
        now=now,
        thresholds=thresholds,
        symbols=tuple(symbols),
        rejudge=rejudge,
        judge=judge,
        judge_venue=judge_venue,
    )
    with warehouse.kept() as kept:
        run = prepare_run(kept, request)
        done = judge_all(run, progress)
        venues, refused = _judge_venues(run, done)
    failures = (*run.failures, *done.failures, *refused)
    receipt = judge_receipt(done.judged, venues, failures, seconds=perf_counter() - began)
    _tell(receipt)
    return receipt


def _tell(receipt: JudgeReceipt) -> None:
    log.info(
        "quality_judged",
        series=receipt.series,
        sessions=receipt.sessions,
        bars=receipt.bars,
        findings=sum(receipt.findings.values()),
        opened=receipt.recorded.opened,
        repaired=receipt.recorded.repaired,
        failures=len(receipt.failures),
        seconds=round(receipt.seconds, 1),
    )


def _judge_venues(run: JudgeRun, done: JudgedSeries) -> tuple[list[Judged], list[SeriesFailure]]:
    judged, failures = [], []
    for calendar, hours in run.hours.items():
        for timeframe in BASE_TIMEFRAMES:
            key = (calendar, timeframe.value)
            inputs = VenueInputs(calendar, timeframe, hours, run.ledger, run.request.now, run.request.thresholds)
            mine = {day for item in done.judged if (item.calendar, item.timeframe) == key for day in item.days}
            days = sorted(mine | run.owed.get(key, frozenset()))
            for start, end in venue_islands(inputs, days, run.request.start, run.request.end):
                try:
                    judged += _judge_venue(run, inputs, done, start, end)
                except ALONE as error:
                    failures.append(failed_series(*key, error))
                    with run.warehouse.write() as connection:
                        note_venue(connection, *key, start, end, is_judged=False)
    return judged, failures


def _judge_venue(run: JudgeRun, inputs: VenueInputs, done: JudgedSeries, start: date, end: date) -> list[Judged]:
    """Judge and record one stretch, and in the same transaction settle what was owed of it."""
    began, timeframe = perf_counter(), inputs.timeframe
    known = done.missing if timeframe is Timeframe.M1 else ()
    with run.warehouse.read() as connection:
        view = venue_view(connection, inputs, start, end, known)
    if view is None:
        return []
    judgement = run.request.judge_venue(view)
    first_seen = view.sessions["session"][0]
    scope = Scope(calendar=inputs.calendar, timeframe=timeframe.value, start=start, end=end, seen_from=first_seen)
    heard = [rule for rule in judgement.rules if rule not in judgement.failed]
    with run.warehouse.write() as connection:
        recorded = record(connection, scope, judgement.findings, rules=heard)
        note_venue(connection, inputs.calendar, timeframe.value, start, end, is_judged=not judgement.failed)
    judged = Judged(
        name=inputs.calendar,
        timeframe=timeframe.value,
        calendar=inputs.calendar,
        sessions=view.sessions.height,
        bars=0,
        findings=judgement.findings,
        recorded=recorded,
        failed_rules=judgement.failed,
        seconds=perf_counter() - began,
        days=(),
    )
    return [judged]
