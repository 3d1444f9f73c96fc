"""Jobs of studies: ask for one or many, take them from the queue as memory allows, cancel, resume, look at them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from chandlery.errors import ChandleryError, InvalidInput, NotFound
from chandlery.steps.studies import SILENT
from chandlery.steps.study_memory import bytes_free, bytes_needed, why_waiting
from chandlery.steps.study_receipt import evidence_rows, metric_rows
from chandlery.steps.study_request import StudyRequest, check_request
from chandlery.store.job_events import read_events
from chandlery.store.job_notes import note_alive, note_waiting
from chandlery.store.job_queue import claim_jobs, reprioritise, request_cancel, requeue_lost, resume_job
from chandlery.store.jobs import (
    Job,
    JobKind,
    JobRequest,
    JobState,
    find_job,
    list_jobs,
    position_in_queue,
    short_id,
    submit_job,
    submit_jobs,
)
from chandlery.store.study_reads import find_study, read_selections
from chandlery.store.universe import tracked_instruments
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import all_strategies

MOST_ATTEMPTS = 5
"""Runs of one job that may be lost before it counts as failed."""

COLUMNS = (
    "job",
    "kind",
    "strategy",
    "symbol",
    "state",
    "priority",
    "done",
    "total",
    "rate",
    "eta_s",
    "best",
    "message",
)
"""Columns of a list of jobs."""

_EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job taken from the queue, and the partition it belongs to."""

    job: Job
    strategy: str
    universe: str


def submit_study(
    warehouse: Warehouse, request: StudyRequest, *, created_by: str, priority: int, key: str | None = None
) -> Job:
    """Queue one study after checking it; the same `key` of the same person is one job.

    Raises:
        InvalidInput, BadParameters, UnknownStrategy: the request makes no sense.
    """
    checked = check_request(request)
    asked = JobRequest(params=checked.request.as_json(), created_by=created_by, priority=priority, idempotency_key=key)
    return submit_job(warehouse, asked)


def submit_batch(
    warehouse: Warehouse,
    plain: StudyRequest,
    *,
    strategies: Sequence[str],
    symbols: Sequence[str],
    created_by: str,
    priority: int,
) -> tuple[Job, tuple[Job, ...]]:
    """Queue one study per strategy and symbol under one parent; both may be `all` or patterns (`rsi*`).

    Everything else is that of `plain`. Nothing is queued unless all of it makes sense.

    Raises:
        NotFound: a pattern that fits nothing.
        InvalidInput: listing the studies that cannot be run as asked.
    """
    names = _chosen(strategies, tuple(all_strategies()), "strategy")
    tickers = _chosen(symbols, _tracked(warehouse), "tracked symbol", is_open=True)
    children, faults = [], []
    for name in names:
        for symbol in tickers:
            try:
                checked = check_request(replace(plain, strategy=name, symbol=symbol))
            except ChandleryError as error:
                faults.append(str(error))
                continue
            asked = checked.request.as_json()
            children.append(JobRequest(params=asked, created_by=created_by, priority=priority))
    if faults:
        raise InvalidInput(f"{len(faults)} of {len(names) * len(tickers)} studies were refused:\n" + "\n".join(faults))
    params = {"strategies": list(names), "symbols": list(tickers)}
    parent = JobRequest(params=params, created_by=created_by, kind=JobKind.BATCH, priority=priority)
    return submit_jobs(warehouse, parent, children)


def claim_studies(
    warehouse: Warehouse, *, workers: int, free: Callable[[], int | None] = bytes_free
) -> tuple[Claimed, ...]:
    """Take queued studies, highest priority first, then oldest, while fewer than `workers` are under way.

    A study that takes more memory than is free waits and says so, and those behind it wait with it: a large one is
    never overtaken for ever by small ones.
    """
    taken: list[Claimed] = []
    promised, available = 0, free()
    while (head := _head(warehouse)) is not None:
        request = StudyRequest.from_json(head.params)
        needed = bytes_needed(request)
        reason = why_waiting(needed, free=available, promised=promised)
        if reason is not None:
            if reason != head.message:
                note_waiting(warehouse, head.job_id, reason)
            break
        claimed = claim_jobs(warehouse, limit=1, running_limit=workers)
        if not claimed:
            break
        promised += needed
        for job in claimed:
            asked = StudyRequest.from_json(job.params)
            taken.append(Claimed(job, asked.strategy, asked.universe))
    return tuple(taken)


def requeue_lost_studies(warehouse: Warehouse) -> tuple[Job, ...]:
    """Queue again what gave no sign of life for a minute; after five lost runs a job has failed."""
    return requeue_lost(warehouse, older_than=SILENT, max_attempts=MOST_ATTEMPTS)


def studies_under_way(warehouse: Warehouse, *states: JobState) -> tuple[Job, ...]:
    """Return the studies in these states."""
    return tuple(job for state in states for job in list_jobs(warehouse, state=state, kind=JobKind.STUDY))


def keep_claims(warehouse: Warehouse, job_ids: Sequence[str]) -> None:
    """Say that claimed jobs are not lost: their runs wait for a place."""
    if job_ids:
        note_alive(warehouse, job_ids)


def cancel_study(warehouse: Warehouse, job: str) -> Job:
    """Cancel a job that waits, or tell one that runs to stop after its batch; a batch passes it on.

    Raises:
        NotFound: no such job.
        StudyEnded: it has ended.
    """
    return request_cancel(warehouse, find_job(warehouse, job).job_id)


def change_priority(warehouse: Warehouse, job: str, *, priority: int) -> Job:
    """Change the priority of a job, 0 to 9, 9 first.

    Raises:
        InvalidInput: another priority.
        NotFound: no such job.
        StudyEnded: it has ended.
    """
    return reprioritise(warehouse, find_job(warehouse, job).job_id, priority=priority)


def resume_study(warehouse: Warehouse, job: str) -> Job:
    """Queue a failed, cancelled or lost job again; it goes on from its last batch.

    Raises:
        NotFound: no such job.
        StudyRunning: it waits or runs.
        StudyEnded: it succeeded.
    """
    found = find_job(warehouse, job)
    lost = {again.job_id for again in requeue_lost_studies(warehouse)}
    return find_job(warehouse, found.job_id) if found.job_id in lost else resume_job(warehouse, found.job_id)


def list_study_jobs(
    warehouse: Warehouse, *, state: JobState | None = None, limit: int = 100
) -> tuple[dict[str, Any], ...]:
    """Return jobs as rows of a table, newest first."""
    return tuple(job_row(job) for job in list_jobs(warehouse, state=state, limit=limit))


def show_study_job(warehouse: Warehouse, job: str) -> dict[str, Any]:
    """Return all that is known of a job: itself, its events, children, and the study with evidence and choices.

    Raises:
        NotFound: no such job.
    """
    found = find_job(warehouse, job)
    told: dict[str, Any] = {
        "job": asdict(found),
        "position": position_in_queue(warehouse, found.job_id),
        "events": [asdict(event) for event in read_events(warehouse, found.job_id)],
        "children": [job_row(child) for child in list_jobs(warehouse, parent=found.job_id)],
        "study": None,
    }
    if found.study_id is not None:
        try:
            row = find_study(warehouse, found.study_id)
        except NotFound:
            return told
        selections = read_selections(warehouse, row.study_id)
        told["study"] = asdict(row)
        told["metrics"] = metric_rows(row)
        told["evidence"] = evidence_rows(row.evidence or {})
        # The driver's column names are a kind of text that JSON writers refuse as keys.
        told["choices"] = [{str(name): value for name, value in kept.items()} for kept in selections]
    return told


def job_row(job: Job) -> dict[str, Any]:
    """Return a job as one row of a table."""
    return {
        "job": short_id(job.job_id),
        "job_id": job.job_id,
        "kind": job.kind.value,
        "strategy": _shown(job.params.get("strategy", job.params.get("strategies"))),
        "symbol": _shown(job.params.get("symbol", job.params.get("symbols"))),
        "state": "cancelling" if job.cancel_requested and not job.has_ended else job.state.value,
        "priority": job.priority,
        "done": job.done,
        "total": job.total,
        "rate": None if job.rate is None else round(job.rate, 1),
        "eta_s": None if job.eta_s is None else round(job.eta_s),
        "best": None if job.best is None else round(job.best, 4),
        "message": job.message,
        "attempt": job.attempt,
        "study_id": job.study_id,
        "run_id": job.run_id,
        "created_by": job.created_by,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) if len(value) <= 3 else f"{len(value)} ({value[0]}, …)"
    return str(value)


def _head(warehouse: Warehouse) -> Job | None:
    queued = list_jobs(warehouse, state=JobState.QUEUED, kind=JobKind.STUDY, limit=100_000)
    return min(queued, key=lambda job: (-job.priority, job.created_at, job.job_id), default=None)


def _tracked(warehouse: Warehouse) -> tuple[str, ...]:
    with warehouse.read() as connection:
        return tuple(item.symbol for item in tracked_instruments(connection))


def _chosen(wanted: Sequence[str], known: Sequence[str], what: str, *, is_open: bool = False) -> tuple[str, ...]:
    """Return the names that `all` or patterns mean, in order and once; with `is_open` a plain name passes as it is."""
    found: dict[str, None] = {}
    for text in wanted:
        if text == _EVERYTHING:
            matching = list(known)
        elif any(sign in text for sign in "*?["):
            matching = [name for name in known if fnmatchcase(name, text)]
        else:
            matching = [text] if is_open or text in known else []
        if not matching:
            raise NotFound(f"No {what} fits {text!r}. Known are {', '.join(sorted(known)[:12])}, …")
        found |= dict.fromkeys(matching)
    if not found:
        raise InvalidInput(f"A batch needs at least one {what}; give names, patterns or all.")
    return tuple(found)
