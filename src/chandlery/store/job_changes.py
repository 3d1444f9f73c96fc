"""How a job changes inside a transaction: lock, write, tell, and let its parent follow."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import func, select, update

from chandlery.errors import NotFound
from chandlery.store.job_events import add_event
from chandlery.store.jobs import Job, JobState, job_of
from chandlery.store.tables import jobs
from chandlery.store.warehouse import Writer

ACTIVE = (JobState.CLAIMED, JobState.RUNNING)
"""States that take a place in the pool."""

_EVENTS = {JobState.SUCCEEDED: "finished", JobState.FAILED: "failed", JobState.CANCELLED: "cancelled"}


def locked_job(connection: Writer, job_id: str) -> Job:
    """Return a job, locked until the transaction ends; its parent is locked first.

    Whoever changes a child changes the parent too: taking parents first, two of them never wait for each other.

    Raises:
        NotFound: no such job.
    """
    above = select(jobs.c.parent_id).where(jobs.c.job_id == job_id).scalar_subquery()
    connection.execute(select(jobs.c.job_id).where(jobs.c.job_id == above).with_for_update())
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"Job {job_id} was looked up and not found. `chandlery study list` names those there are.")
    return job_of(row)


def locked_children(connection: Writer, job_id: str) -> tuple[Job, ...]:
    """Return the children of a job, locked, in the order they were asked for."""
    below = select(jobs).where(jobs.c.parent_id == job_id).order_by(jobs.c.job_id).with_for_update()
    return tuple(job_of(row) for row in connection.execute(below))


def change(connection: Writer, job_id: str, event: str, facts: Mapping[str, object], **detail: object) -> Job:
    """Write facts to a locked job, tell of it, and return the job as it is now."""
    written = update(jobs).where(jobs.c.job_id == job_id).values(**facts).returning(jobs)
    changed = job_of(connection.execute(written).one())
    add_event(connection, job_id, event, **detail)
    return changed


def end_job(connection: Writer, job: Job, state: JobState, *, message: str | None, study_id: str | None = None) -> Job:
    """End a locked job and let its parent follow."""
    facts = {"state": state, "message": message, "eta_s": None, "finished_at": func.now()}
    facts["study_id"] = study_id or job.study_id
    ended = change(connection, job.job_id, _EVENTS[state], facts, state=state.value, message=message)
    follow_children(connection, job.parent_id)
    return ended


def follow_children(connection: Writer, parent_id: str | None) -> None:
    """Bring state and progress of a parent, if there is one, to what its children are."""
    if parent_id is None:
        return
    parent = locked_job(connection, parent_id)
    query = select(jobs.c.state, func.count()).where(jobs.c.parent_id == parent_id).group_by(jobs.c.state)
    counts = Counter({JobState(row[0]): int(row[1]) for row in connection.execute(query).all()})
    done = sum(counts[state] for state in _EVENTS)
    state = _state_of(counts, has_asked_to_stop=parent.cancel_requested)
    others = [f"{counts[word]} {word}" for word in (JobState.FAILED, JobState.CANCELLED) if counts[word]]
    facts: dict[str, object] = {"done": done, "state": state, "message": ", ".join(others) or None}
    if state is not JobState.QUEUED:
        facts["started_at"] = func.coalesce(jobs.c.started_at, func.now())
    facts["finished_at"] = func.now() if state in _EVENTS else None
    if state is parent.state:
        connection.execute(update(jobs).where(jobs.c.job_id == parent_id).values(**facts))
    else:
        event = _EVENTS.get(state, "started" if state is JobState.RUNNING else "requeued")
        change(connection, parent_id, event, facts, done=done, message=facts["message"])


def _state_of(counts: Counter[JobState], *, has_asked_to_stop: bool) -> JobState:
    ended = sum(counts[state] for state in _EVENTS)
    total = sum(counts.values())
    if ended < total:
        waits = counts[JobState.QUEUED] + counts[JobState.CLAIMED] == total
        return JobState.QUEUED if waits else JobState.RUNNING
    if counts[JobState.FAILED]:
        return JobState.FAILED
    if counts[JobState.CANCELLED] and (has_asked_to_stop or not counts[JobState.SUCCEEDED]):
        return JobState.CANCELLED
    return JobState.SUCCEEDED
