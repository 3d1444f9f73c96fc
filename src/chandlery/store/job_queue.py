"""What the queue does with jobs: claim, start, progress, end, cancel, resume, requeue.

Every change locks the row it changes, and an event tells of it in the same transaction. A run proves that a job is
its own by `run_id`: a run that was given up as lost cannot write over its successor.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, or_, select, text

from chandlery.errors import Fenced, StudyEnded, StudyRunning
from chandlery.store.job_changes import ACTIVE, change, end_job, follow_children, locked_children, locked_job
from chandlery.store.job_events import PROGRESSED
from chandlery.store.jobs import Job, JobKind, JobState, check_priority, queue_order
from chandlery.store.tables import jobs
from chandlery.store.warehouse import Warehouse, Writer

_RESUMED = (JobState.FAILED, JobState.CANCELLED)
_CLAIMING = 7_304_526_119
"""Key of the advisory lock under which claims count what runs."""


def claim_jobs(warehouse: Warehouse, *, limit: int, running_limit: int) -> tuple[Job, ...]:
    """Take up to `limit` queued studies, highest priority first, then oldest; each claim is a new attempt.

    At most `running_limit` jobs are claimed or running afterwards. Of several callers at once none gets the same job.
    """
    with warehouse.write() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _CLAIMING})
        active = select(func.count()).select_from(jobs).where(jobs.c.state.in_(ACTIVE), jobs.c.kind != JobKind.BATCH)
        free = min(limit, running_limit - connection.execute(active).scalar_one())
        if free <= 0:
            return ()
        chosen: Sequence[str] = (
            connection.execute(queue_order().limit(free).with_for_update(skip_locked=True)).scalars().all()
        )
        # A parent stays as it is: a claimed child waits as much as a queued one.
        claim = {"state": JobState.CLAIMED, "attempt": jobs.c.attempt + 1, "heartbeat_at": func.now(), "message": None}
        return tuple(change(connection, job_id, "claimed", claim) for job_id in chosen)


def start_job(
    warehouse: Warehouse, job_id: str, *, run_id: str | None, attempt: int | None = None, study_id: str | None = None
) -> Job:
    """Mark a claimed job as running; a queued one is claimed by this (a study run in the foreground).

    `attempt`: that of the claim; None: whatever it is. The same run may start its job again.

    Raises:
        NotFound: no such job.
        StudyEnded: it was cancelled or has ended.
        StudyRunning: another run works on it.
        Fenced: it was claimed again since: this attempt is over.
    """
    with warehouse.write() as connection:
        job = locked_job(connection, job_id)
        if job.has_ended:
            raise StudyEnded(f"Job {job_id} was to be started, but it is {job.state}. Resume it, or ask again.")
        if attempt is not None and attempt != job.attempt:
            raise Fenced(
                f"Attempt {attempt} of job {job_id} was to be started, but attempt {job.attempt} is {job.state}. "
                "This run must stop; the job goes on in the other."
            )
        if job.state is JobState.RUNNING and job.run_id != run_id:
            raise StudyRunning(f"Job {job_id} was to be started, but run {job.run_id} works on it.")
        facts = {
            "state": JobState.RUNNING,
            "run_id": run_id,
            "attempt": max(1, job.attempt + (job.state is JobState.QUEUED)),
            "study_id": study_id or job.study_id,
            "started_at": func.coalesce(jobs.c.started_at, func.now()),
            "heartbeat_at": func.now(),
        }
        started = change(connection, job_id, "started", facts, run_id=run_id, attempt=facts["attempt"])
        follow_children(connection, job.parent_id)
        return started


def progress_job(
    warehouse: Warehouse,
    job_id: str,
    *,
    run_id: str | None,
    done: int,
    total: int | None = None,
    rate: float | None = None,
    eta_s: float | None = None,
    best: float | None = None,
    message: str | None = None,
    study_id: str | None = None,
) -> bool:
    """Note how far a job is, which is its sign of life too; return whether its cancellation was asked for.

    `study_id` is kept once given.

    Raises:
        NotFound: no such job.
        Fenced: the job is not in the hands of this run any more.
    """
    told = {"done": done, "total": total, "rate": rate, "eta_s": eta_s, "best": best, "message": message}
    with warehouse.write() as connection:
        job = locked_job(connection, job_id)
        _check_hands(job, run_id)
        kept = {"total": total if total is not None else job.total, "study_id": study_id or job.study_id}
        facts = told | kept | {"heartbeat_at": func.now()}
        if (job.done, job.message) == (done, message):
            connection.execute(jobs.update().where(jobs.c.job_id == job_id).values(**facts))
        else:
            change(connection, job_id, PROGRESSED, facts, **told)
        return job.cancel_requested


def finish_job(
    warehouse: Warehouse,
    job_id: str,
    *,
    run_id: str | None,
    state: Literal[JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED],
    message: str | None = None,
    study_id: str | None = None,
) -> Job:
    """End a job; its parent follows. Ending it again in the same way changes nothing.

    Raises:
        NotFound: no such job.
        StudyEnded: it has ended in another way.
        Fenced: the job is not in the hands of this run any more.
    """
    with warehouse.write() as connection:
        job = locked_job(connection, job_id)
        if job.state is state:
            return job
        if job.has_ended:
            raise StudyEnded(f"Job {job_id} was to end as {state}, but it is {job.state} already.")
        _check_hands(job, run_id)
        return end_job(connection, job, state, message=message, study_id=study_id or job.study_id)


def request_cancel(warehouse: Warehouse, job_id: str) -> Job:
    """Cancel what waits at once; tell what runs to stop; a parent passes it on to its children.

    Raises:
        NotFound: no such job.
        StudyEnded: it has ended.
    """
    with warehouse.write() as connection:
        job = locked_job(connection, job_id)
        if job.has_ended:
            raise StudyEnded(f"Job {job_id} was to be cancelled, but it is {job.state} already.")
        if job.kind is not JobKind.BATCH:
            return _cancel(connection, job)
        change(connection, job_id, "cancelling", {"cancel_requested": True})
        for child in locked_children(connection, job_id):
            if not child.has_ended:
                _cancel(connection, child)
        return locked_job(connection, job_id)


def reprioritise(warehouse: Warehouse, job_id: str, *, priority: int) -> Job:
    """Change the priority of a job and of its children that wait.

    Raises:
        InvalidInput: a priority outside 0 to 9.
        NotFound: no such job.
        StudyEnded: it has ended.
    """
    facts = {"priority": check_priority(priority)}
    with warehouse.write() as connection:
        job = locked_job(connection, job_id)
        if job.has_ended:
            raise StudyEnded(f"The priority of job {job_id} was to change, but it is {job.state} already.")
        if job.kind is JobKind.BATCH:
            for child in locked_children(connection, job_id):
                if child.state is JobState.QUEUED:
                    change(connection, child.job_id, "reprioritised", facts, before=child.priority, priority=priority)
        return change(connection, job_id, "reprioritised", facts, before=job.priority, priority=priority)


def resume_job(warehouse: Warehouse, job_id: str) -> Job:
    """Queue a failed or cancelled job again; of a parent, its failed and cancelled children. Attempts count from 0.

    Raises:
        NotFound: no such job.
        StudyRunning: it waits or runs.
        StudyEnded: it succeeded.
    """
    with warehouse.write() as connection:
        job = locked_job(connection, job_id)
        if job.state is JobState.SUCCEEDED:
            raise StudyEnded(f"Job {job_id} was to be resumed, but it succeeded: there is nothing left to do.")
        if not job.has_ended:
            raise StudyRunning(f"Job {job_id} was to be resumed, but it is {job.state}.")
        if job.kind is not JobKind.BATCH:
            return _resume(connection, job)
        change(connection, job_id, "requeued", {"cancel_requested": False, "finished_at": None, "message": None})
        for child in locked_children(connection, job_id):
            if child.state in _RESUMED:
                _resume(connection, child)
        return locked_job(connection, job_id)


def requeue_lost(warehouse: Warehouse, *, older_than: timedelta, max_attempts: int) -> tuple[Job, ...]:
    """Queue again what was claimed or runs and gave no sign of life for so long; return the jobs touched.

    A job that had `max_attempts` fails instead, one whose cancellation was asked for is cancelled.
    """
    silent = or_(jobs.c.heartbeat_at.is_(None), jobs.c.heartbeat_at < func.now() - older_than)
    lost = select(jobs.c.job_id).where(jobs.c.state.in_(ACTIVE), jobs.c.kind != JobKind.BATCH, silent)
    with warehouse.read() as connection:
        suspects: Sequence[str] = connection.execute(lost.order_by(jobs.c.job_id)).scalars().all()
    touched = []
    # A transaction each: no job is held while the parent of another is waited for.
    for job_id in suspects:
        with warehouse.write() as connection:
            job = locked_job(connection, job_id)
            if connection.execute(lost.where(jobs.c.job_id == job_id)).one_or_none() is not None:
                touched.append(_given_up(connection, job, older_than=older_than, max_attempts=max_attempts))
    return tuple(touched)


def _given_up(connection: Writer, job: Job, *, older_than: timedelta, max_attempts: int) -> Job:
    gone = f"Run {job.run_id or '(none)'} gave no sign of life for {older_than.total_seconds():g} s"
    if job.cancel_requested:
        return end_job(connection, job, JobState.CANCELLED, message=f"{gone}; it was to stop anyway.")
    if job.attempt >= max_attempts:
        reason = f"{gone}, at attempt {job.attempt} of {max_attempts}. Its batches are kept: resume it."
        return end_job(connection, job, JobState.FAILED, message=reason)
    facts = {"state": JobState.QUEUED, "run_id": None, "message": f"{gone}; queued again."}
    requeued = change(connection, job.job_id, "requeued", facts, attempt=job.attempt, run_id=job.run_id)
    follow_children(connection, job.parent_id)
    return requeued


def _check_hands(job: Job, run_id: str | None) -> None:
    if job.state is not JobState.RUNNING or job.run_id != run_id:
        raise Fenced(
            f"Run {run_id} wrote to job {job.job_id}, which is {job.state} in the hands of run {job.run_id}. "
            "This run must stop."
        )


def _cancel(connection: Writer, job: Job) -> Job:
    if job.state is JobState.RUNNING:
        return change(connection, job.job_id, "cancelling", {"cancel_requested": True})
    return end_job(connection, job, JobState.CANCELLED, message="Cancelled before it ran.")


def _resume(connection: Writer, job: Job) -> Job:
    fresh = {"state": JobState.QUEUED, "attempt": 0, "run_id": None, "cancel_requested": False}
    facts = {**fresh, "finished_at": None, "heartbeat_at": None, "message": None}
    resumed = change(connection, job.job_id, "requeued", facts, attempt=0)
    follow_children(connection, job.parent_id)
    return resumed
