"""Judge the series of a run, two at a time: each stretch is read, judged and recorded by itself."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter

from chandlery.log import get_logger
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.other_sources import witness_words
from chandlery.quality.series.view import SeriesView
from chandlery.steps.bars import Progress
from chandlery.steps.judge_receipt import Judged, SeriesFailure
from chandlery.steps.judging_plan import Island, SeriesPlan
from chandlery.steps.judging_run import ALONE, FAULTS, JudgeRun, failed_series
from chandlery.steps.judging_venues import MissingMinutes, missing_minutes
from chandlery.steps.judging_views import RolledSessions, series_view
from chandlery.store.judging import forget_judged, note_judged
from chandlery.store.recorded_findings import Scope, record
from chandlery.store.warehouse import Reader, Writer
from chandlery.store.witnesses import note_witness_source

log = get_logger(__name__)

_THREADS = 2
"""While one series is read and recorded, another is judged; polars has threads of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSeries:
    """What became of some series: stretches that were recorded, the minutes they miss, series that failed."""

    judged: tuple[Judged, ...] = ()
    missing: tuple[MissingMinutes, ...] = ()
    failures: tuple[SeriesFailure, ...] = ()

    def __add__(self, other: "JudgedSeries") -> "JudgedSeries":
        """Return both together."""
        return JudgedSeries(self.judged + other.judged, self.missing + other.missing, self.failures + other.failures)


def judge_all(run: JudgeRun, progress: Callable[[Progress], None]) -> JudgedSeries:
    """Judge every planned series and record what is found.

    Raises:
        DatabaseDown: the warehouse does not answer; series not begun are left out.
    """
    began = perf_counter()
    groups = [tuple(mine) for _, mine in groupby(run.plans, key=lambda plan: plan.instrument.instrument_id)]
    done = JudgedSeries()
    with ThreadPoolExecutor(_THREADS) as pool:
        futures = [pool.submit(_judge_instrument, run, plans) for plans in groups]
        try:
            for place, future in enumerate(as_completed(futures), start=1):
                done += (latest := future.result())
                label = " ".join(sorted({item.name for item in latest.judged})) or "unjudged"
                bars = sum(item.bars for item in done.judged)
                progress(Progress(label, place, len(groups), bars, perf_counter() - began))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return done


def _judge_instrument(run: JudgeRun, plans: Sequence[SeriesPlan]) -> JudgedSeries:
    """Judge minutes, then days, which take the minutes by session from there; all from one snapshot."""
    done, rolled, waiting = JudgedSeries(), RolledSessions(), list(plans)
    try:
        with run.warehouse.read() as connection:
            while waiting:
                try:
                    for island in waiting[0].islands:
                        done += _judge_island(run, connection, waiting[0], island, rolled)
                except FAULTS as error:
                    done += _failed(waiting[0], error)
                waiting.pop(0)
    except ALONE as error:
        # The snapshot is gone, and with it the other series of the instrument.
        for plan in waiting:
            done += _failed(plan, error)
    return done


def _failed(plan: SeriesPlan, error: Exception) -> JudgedSeries:
    return JudgedSeries(failures=(failed_series(plan.instrument.symbol, plan.timeframe.value, error),))


def _judge_island(
    run: JudgeRun, connection: Reader, plan: SeriesPlan, island: Island, rolled: RolledSessions
) -> JudgedSeries:
    began = perf_counter()
    changes, overrides = run.changes[plan.instrument.calendar], run.request.thresholds
    view = series_view(connection, plan, island, rolled=rolled, overrides=overrides, changes=changes)
    judgement = run.request.judge(view)
    sessions = plan.judged(island)
    scope = Scope(
        calendar=plan.instrument.calendar,
        timeframe=plan.timeframe.value,
        start=island.start,
        end=island.end,
        instrument_id=plan.instrument.instrument_id,
        seen_from=island.first_seen,
    )
    with run.warehouse.write() as writer:
        heard = [rule for rule in judgement.rules if rule not in judgement.failed]
        recorded = record(writer, scope, judgement.findings, rules=heard)
        mine = (plan.instrument.instrument_id, plan.timeframe.value)
        if judgement.failed:
            # Also what was judged before, and is looked at only because of its neighbours: the rule must see it again.
            forget_judged(writer, *mine, island.start, island.end)
        else:
            due = sessions.filter("due").select("session", "read_key").to_dict(as_series=False)
            note_judged(writer, *mine, due["session"], due["read_key"])
        _note_witnesses(writer, view)
    done = Judged(
        name=plan.instrument.symbol,
        timeframe=plan.timeframe.value,
        sessions=sessions.height,
        bars=int(sessions["bars"].sum()),
        findings=judgement.findings,
        recorded=recorded,
        failed_rules=judgement.failed,
        seconds=perf_counter() - began,
        days=tuple(sessions["session"]),
        calendar=plan.instrument.calendar,
    )
    _tell(done)
    return JudgedSeries((done,), (missing_minutes(view),) if plan.timeframe is Timeframe.M1 else ())


def _note_witnesses(writer: Writer, view: SeriesView) -> None:
    """Keep which sources are feeds of their own: the score counts a session as compared by them alone."""
    for word in witness_words(view):
        note_witness_source(
            writer,
            instrument_id=view.instrument.instrument_id,
            timeframe=view.timeframe,
            source=word.source,
            is_independent=word.is_independent,
            sessions=word.sessions,
        )


def _tell(done: Judged) -> None:
    log.info(
        "series_judged",
        symbol=done.name,
        timeframe=done.timeframe,
        sessions=done.sessions,
        bars=done.bars,
        findings=done.findings.height,
        opened=done.recorded.opened,
        reopened=done.recorded.reopened,
        repaired=done.recorded.repaired,
        failed_rules=list(done.failed_rules),
        seconds=round(done.seconds, 2),
    )
