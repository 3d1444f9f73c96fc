"""Studies: one question answered once, step by step kept, and stored with all its evidence."""

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from chandlery.clock import now
from chandlery.errors import StudyRunning
from chandlery.log import get_logger
from chandlery.optimize import Progress, SearchOutcome, StudyResult, conclude, run_search, study_facts
from chandlery.settings import Settings
from chandlery.steps.job_watch import JobWatch
from chandlery.steps.study_prices import StudyPrices, panel_folder, read_study_prices
from chandlery.steps.study_receipt import StudyReceipt, stored_receipt
from chandlery.steps.study_record import MOMENTS, WarehouseRecord
from chandlery.steps.study_request import CheckedRequest, StudyRequest, check_request
from chandlery.store.job_queue import finish_job, start_job
from chandlery.store.jobs import Job, JobState, list_jobs, short_id
from chandlery.store.studies import (
    OpenedStudy,
    StudyAnswer,
    StudyOpening,
    delete_study,
    finish_study,
    join_study,
    open_study,
)
from chandlery.store.study_reads import count_earlier_trials
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import definition_hash

log = get_logger(__name__)

SILENT = timedelta(seconds=60)
"""A run that gave no sign of life for so long is lost."""

_STOPPED = "cancelled between batches; what was evaluated is kept"

Report = Callable[[Progress], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """A question with what it is asked of: enough to search, for whoever works on it."""

    checked: CheckedRequest
    prices: StudyPrices
    study_id: str
    study_name: str
    facts: dict[str, Any]


def run_requested_study(
    warehouse: Warehouse,
    settings: Settings,
    request: StudyRequest,
    *,
    job: Job,
    run_id: str,
    attempt: int | None = None,
    is_asked_again: bool = False,
    progress: Report | None = None,
    cancelled: Cancelled | None = None,
    share: Callable[[Studied, OpenedStudy], None] | None = None,
) -> StudyReceipt:
    """Answer `request` as the run `run_id` of `job`: search, evidence, store; the job tells how far it is.

    The same question is the same study: one that is finished answers at once (`is_asked_again` forgets the answer
    first), one that was interrupted goes on from its last batch to the same table. A cancelled one keeps its batches
    and has no answer. `share` is called when the study is open: it may start the workers of the other parts.

    Raises:
        InvalidInput, BadParameters, UnknownStrategy: the request makes no sense.
        NotFound: the symbol is not tracked or has no prices.
        ResearchError: too few bars, or an empty space.
        StudyRunning: a live run works on the same study, or on this job.
        Fenced: another run took the study over meanwhile.
        DatabaseDown: what was committed stays; the job can be resumed.
    """
    started = start_job(warehouse, job.job_id, run_id=run_id, attempt=attempt)
    end = partial(finish_job, warehouse, job.job_id, run_id=run_id)
    try:
        with JobWatch(warehouse, started, run_id=run_id) as watch:
            studied, opened = _taken(
                warehouse, settings.home_dir, request, job=started, watch=watch, is_asked_again=is_asked_again
            )
            is_complete = opened.finished_at is not None
            if not is_complete:
                is_complete = _answer(
                    warehouse,
                    settings.home_dir,
                    studied,
                    opened,
                    share=share,
                    progress=_both(watch.progress, progress),
                    cancelled=lambda: watch.cancelled() or (cancelled is not None and cancelled()),
                )
    except BaseException as error:
        _end_badly(end, error)
        raise
    receipt = stored_receipt(warehouse, studied.study_id, was_stored=opened.finished_at is not None)
    message = receipt.verdict if is_complete else _STOPPED
    end(state=JobState.SUCCEEDED if is_complete else JobState.CANCELLED, message=message, study_id=studied.study_id)
    log.info("study_ended", study=studied.study_id, strategy=request.strategy, finished=is_complete)
    return receipt


def _taken(
    warehouse: Warehouse, home: Path, request: StudyRequest, *, job: Job, watch: JobWatch, is_asked_again: bool
) -> tuple[Studied, OpenedStudy]:
    """Open the study that answers a request, for this run alone."""
    studied = prepare_study(warehouse, home, request)
    watch.study(studied.study_id)
    _require_alone(warehouse, job, studied.study_id)
    if is_asked_again:
        _forget(warehouse, home, studied.study_id)
    return studied, open_study(warehouse, _opening(studied, run_id=job.run_id))


def work_on_part(warehouse: Warehouse, home: Path, request: StudyRequest, *, part: int, run_id: str) -> None:
    """Search one part of a study that `run_id` has opened; the batches of all parts make one table.

    Raises:
        NotFound: no such study. Fenced: it is in the hands of another run.
    """
    studied = prepare_study(warehouse, home, request)
    opened = join_study(warehouse, studied.study_id, run_id=run_id)
    _search(warehouse, home, studied, opened, shard=(part, opened.parts))


def prepare_study(warehouse: Warehouse, home: Path, request: StudyRequest) -> Studied:
    """Check the request, publish its prices as a panel and give the question its name."""
    checked = check_request(request)
    prices = read_study_prices(warehouse, checked.symbol, checked.timeframe, root=panel_folder(home))
    facts = study_facts(
        checked.strategy,
        prices.panel,
        execution=checked.execution,
        objectives=checked.request.objectives,
        budget=checked.request.trials,
        seed=checked.request.seed,
        method=checked.request.method,
        ranges=checked.request.ranges,
    )
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    study_id = hashlib.sha256(text.encode()).hexdigest()[:32]
    name = f"{checked.strategy.name}-{checked.request.universe}-{study_id[:12]}"
    return Studied(checked=checked, prices=prices, study_id=study_id, study_name=name, facts=dict(facts))


def _both(first: Report, second: Report | None) -> Report:
    def report(latest: Progress) -> None:
        first(latest)
        if second is not None:
            second(latest)

    return report


def _require_alone(warehouse: Warehouse, job: Job, study_id: str) -> None:
    """Leave the study to a live run that began before this one."""
    for other in list_jobs(warehouse, state=JobState.RUNNING):
        is_live = other.heartbeat_at is not None and now() - other.heartbeat_at < SILENT
        if other.study_id != study_id or other.job_id == job.job_id or not is_live:
            continue
        if _began(other) < _began(job):
            raise StudyRunning(
                f"Study {study_id[:12]} was asked for, and job {short_id(other.job_id)} works on it now "
                f"({other.done} of {other.total or '?'}). Wait for it, or cancel it: "
                f"chandlery study cancel {short_id(other.job_id)}."
            )


def _began(job: Job) -> tuple[datetime, str]:
    return job.started_at or job.created_at, job.job_id


def _forget(warehouse: Warehouse, home: Path, study_id: str) -> None:
    for name in delete_study(warehouse, study_id):
        (home / MOMENTS / name).unlink(missing_ok=True)


def _opening(studied: Studied, *, run_id: str | None) -> StudyOpening:
    checked, prices = studied.checked, studied.prices
    request, strategy = checked.request, checked.strategy
    return StudyOpening(
        study_id=studied.study_id,
        study_name=studied.study_name,
        strategy=strategy.name,
        strategy_version=strategy.version,
        definition_hash=definition_hash(strategy),
        instrument_id=prices.instrument.instrument_id,
        timeframe=request.timeframe,
        panel_id=prices.panel_id,
        first_ts=prices.first_ts,
        last_ts=prices.last_ts,
        bars=prices.panel.bars,
        question=studied.facts,
        method=request.method,
        objective=",".join(request.objectives),
        budget=request.trials,
        seed=request.seed,
        parts=request.parts,
        source=prices.source,
        code_version=version("chandlery"),
        run_id=run_id,
    )


def _record(warehouse: Warehouse, home: Path, studied: Studied, opened: OpenedStudy) -> WarehouseRecord:
    return WarehouseRecord(warehouse, opened, space=studied.checked.space, folder=home / MOMENTS)


def _search(
    warehouse: Warehouse,
    home: Path,
    studied: Studied,
    opened: OpenedStudy,
    *,
    shard: tuple[int, int] | None,
    progress: Report | None = None,
    cancelled: Cancelled | None = None,
) -> tuple[SearchOutcome, WarehouseRecord]:
    request = studied.checked.request
    record = _record(warehouse, home, studied, opened)
    outcome = run_search(
        studied.checked.strategy,
        studied.prices.panel,
        execution=studied.checked.execution,
        objectives=request.objectives,
        budget=request.trials,
        seed=request.seed,
        study_name=studied.study_name,
        record=record,
        method=request.method,
        ranges=request.ranges,
        parts=opened.parts,
        shard=shard,
        progress=progress,
        cancelled=cancelled,
    )
    return outcome, record


def _answer(
    warehouse: Warehouse,
    home: Path,
    studied: Studied,
    opened: OpenedStudy,
    *,
    share: Callable[[Studied, OpenedStudy], None] | None,
    progress: Report,
    cancelled: Cancelled,
) -> bool:
    """Search to the end and store the answer; return False if it was cancelled before."""
    if share is not None:
        share(studied, opened)
    shard = None if share is None else (0, opened.parts)
    with warehouse.kept() as kept:
        outcome, record = _search(kept, home, studied, opened, shard=shard, progress=progress, cancelled=cancelled)
        if not outcome.is_complete:
            return False
        earlier = count_earlier_trials(
            kept,
            strategy=studied.checked.strategy.name,
            instrument_id=studied.prices.instrument.instrument_id,
            timeframe=studied.checked.request.timeframe,
            before=studied.study_id,
        )
        result = conclude(outcome, studied.prices.panel, studied.checked.execution, earlier_trials=earlier)
        record.publish_top_trials()
        finish_study(
            kept,
            studied.study_id,
            fence=opened.fence,
            answer=_study_answer(result),
            selections=[asdict(choice) for choice in result.evidence.choices],
            curve=_curve(result),
            traded=_trades(result),
        )
    return True


def _study_answer(result: StudyResult) -> StudyAnswer:
    return StudyAnswer(
        trials=result.trials,
        best_params=dict(result.best_params),
        metrics=_metrics(result),
        evidence=result.evidence.to_json(),
        verdict=result.verdict,
    )


def _metrics(result: StudyResult) -> dict[str, Any]:
    figures = {
        **asdict(result.best_metrics),
        **{f"benchmark_{name}": value for name, value in asdict(result.benchmark.metrics).items()},
        "psr": result.evidence.psr,
        "luck_sharpe": result.evidence.luck_sharpe,
        "deflated_sharpe": result.evidence.deflated_sharpe,
        "pbo": result.evidence.pbo,
        "lattice_size": result.lattice_size,
        "fee": result.best.execution.costs.fee,
        "slippage": result.best.execution.costs.slippage,
    }
    return {name: value if value is None or np.isfinite(value) else None for name, value in figures.items()}


def _curve(result: StudyResult) -> Iterable[dict[str, Any]]:
    stamps = pl.from_epoch(pl.Series(result.best.ts), "us").dt.replace_time_zone("UTC").to_list()
    curves = zip(stamps, result.best.equity.tolist(), result.benchmark.equity.tolist(), strict=True)
    return [{"ts": ts, "equity": own, "benchmark": held} for ts, own, held in curves]


def _trades(result: StudyResult) -> Iterable[dict[str, Any]]:
    return [
        {
            "seq": seq,
            "entry_ts": row["entry_ts"],
            "exit_ts": row["exit_ts"],
            "entry_price": row["entry_price"],
            "exit_price": row["exit_price"],
            "net_return": row["profit"] / row["cost"],
        }
        for seq, row in enumerate(result.best.trades.to_dicts())
    ]


def _end_badly(end: Callable[..., Job], error: BaseException) -> None:
    """Close the job of a run that ends with an error, if the database still answers and the job is still ours."""
    is_failure = isinstance(error, Exception)
    state = JobState.FAILED if is_failure else JobState.CANCELLED
    message = f"{type(error).__name__}: {error}" if is_failure else "terminated; what was evaluated is kept"
    with suppress(Exception):
        end(state=state, message=message[:2000])
