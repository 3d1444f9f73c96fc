"""Jobs: what was asked for, by whom, and how far it is."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Text, cast, select
from sqlalchemy.dialects.postgresql import insert

from chandlery import clock
from chandlery.errors import InvalidInput, NotFound
from chandlery.store.job_events import add_event
from chandlery.store.tables import jobs
from chandlery.store.warehouse import Warehouse, Writer

Json = Mapping[str, Any]

_HIGHEST = 9
_ORDER = Lock()
_last_us = 0


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    """Taken from the queue; its run is on the way."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class JobKind(StrEnum):
    """What a job is."""

    STUDY = "study"
    BATCH = "batch"
    """The parent of studies: it is never run itself, its state and progress follow from its children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What is asked for; `priority` 0 to 9, 9 first. The same `idempotency_key` of the same person is one job."""

    params: Json
    created_by: str
    kind: JobKind = JobKind.STUDY
    priority: int = 5
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of `ops.jobs`. `rate`: evaluations a second; `attempt`: counts claims, 1 for the first."""

    job_id: str
    kind: JobKind
    params: Json
    parent_id: str | None
    priority: int
    state: JobState
    done: int
    total: int | None
    rate: float | None
    eta_s: float | None
    best: float | None
    message: str | None
    cancel_requested: bool
    study_id: str | None
    run_id: str | None
    attempt: int
    idempotency_key: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether it succeeded, failed or was cancelled."""
        return self.state in ENDED


def short_id(job_id: str) -> str:
    """Return the end of a job's id, by which people name it."""
    return job_id[-8:]


def submit_job(warehouse: Warehouse, request: JobRequest) -> Job:
    """Queue a job and return it; the job that stands if this person asked for it under the same key before.

    Raises:
        InvalidInput: a priority outside 0 to 9, or a key that was used for something else.
    """
    with warehouse.write() as connection:
        return _submitted(connection, request)[0]


def submit_jobs(
    warehouse: Warehouse, parent: JobRequest, children: Sequence[JobRequest]
) -> tuple[Job, tuple[Job, ...]]:
    """Queue a parent with its children in one transaction; return both, the children in their order.

    Asked for again under the parent's key, the same jobs are returned; keys of children are not looked at.

    Raises:
        InvalidInput: no children, a priority outside 0 to 9, or a key that was used for something else.
    """
    if not children:
        raise InvalidInput("A batch was asked for without a study in it; name at least one strategy and symbol.")
    with warehouse.write() as connection:
        above, is_new = _submitted(connection, replace(parent, kind=JobKind.BATCH), total=len(children))
        if is_new:
            for child in children:
                _submitted(connection, replace(child, idempotency_key=None), parent_id=above.job_id)
        below = connection.execute(_of_parent(above.job_id))
        return above, tuple(job_of(row) for row in below)


def find_job(warehouse: Warehouse, job: str) -> Job:
    """Return a job by its id, or by a beginning or end of it that no other job shares.

    Ids begin with the time, so the last letters tell jobs of one minute apart (`short_id`).

    Raises:
        NotFound: none, or more than one.
    """
    text_of = cast(jobs.c.job_id, Text)
    given = job.strip().lower()
    either = text_of.startswith(given, autoescape=True) | text_of.endswith(given, autoescape=True)
    query = select(jobs).where(either).limit(3)
    with warehouse.read() as connection:
        found = connection.execute(query).all()
    if len(found) != 1:
        number = "no job has" if not found else "more than one job has"
        raise NotFound(
            f"Job {job!r} was looked up: {number} an id that begins or ends so. `chandlery study list` shows them."
        )
    return job_of(found[0])


def list_jobs(
    warehouse: Warehouse,
    *,
    state: JobState | None = None,
    kind: JobKind | None = None,
    parent: str | None = None,
    limit: int = 1000,
) -> tuple[Job, ...]:
    """Return jobs, newest first; the children of a parent in the order they were asked for."""
    query = _of_parent(parent) if parent is not None else select(jobs).order_by(jobs.c.job_id.desc())
    if state is not None:
        query = query.where(jobs.c.state == state)
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    with warehouse.read() as connection:
        return tuple(job_of(row) for row in connection.execute(query.limit(limit)))


def position_in_queue(warehouse: Warehouse, job_id: str) -> int | None:
    """Return how many queued studies come before this job; None if it is not queued itself."""
    with warehouse.read() as connection:
        waiting: Sequence[str] = connection.execute(queue_order()).scalars().all()
    return waiting.index(job_id) if job_id in waiting else None


def queue_order() -> Select[Any]:
    """Return the ids of queued studies in the order they are claimed."""
    waiting = (jobs.c.state == JobState.QUEUED) & (jobs.c.kind != JobKind.BATCH)
    return select(jobs.c.job_id).where(waiting).order_by(jobs.c.priority.desc(), jobs.c.created_at, jobs.c.job_id)


def job_of(row: Row[Any]) -> Job:
    """Return a row of `ops.jobs` as a job."""
    facts = dict(row._mapping) | {"kind": JobKind(row.kind), "state": JobState(row.state)}  # noqa: SLF001 - public in SQLAlchemy
    return Job(**facts)


def check_priority(priority: int) -> int:
    """Return the priority.

    Raises:
        InvalidInput: it is outside 0 to 9.
    """
    if not 0 <= priority <= _HIGHEST:
        raise InvalidInput(f"priority was {priority}; it is 0 to {_HIGHEST}, {_HIGHEST} first.")
    return priority


def _of_parent(parent: str) -> Select[Any]:
    return select(jobs).where(jobs.c.parent_id == parent).order_by(jobs.c.job_id)


def _submitted(
    connection: Writer, request: JobRequest, *, parent_id: str | None = None, total: int | None = None
) -> tuple[Job, bool]:
    """Return the job of a request and whether it is new."""
    row = {
        "job_id": _ordered_id(),
        "kind": request.kind,
        "params": dict(request.params),
        "parent_id": parent_id,
        "priority": check_priority(request.priority),
        "total": total,
        "idempotency_key": request.idempotency_key,
        "created_by": request.created_by,
    }
    statement = insert(jobs).values(**row)
    keyed = statement.on_conflict_do_nothing(index_elements=["created_by", "idempotency_key"]).returning(jobs)
    created = connection.execute(keyed).one_or_none()
    if created is not None:
        add_event(connection, created.job_id, "submitted", priority=request.priority, created_by=request.created_by)
        return job_of(created), True
    same = (jobs.c.created_by == request.created_by) & (jobs.c.idempotency_key == request.idempotency_key)
    known = job_of(connection.execute(select(jobs).where(same)).one())
    if (known.kind, known.params) != (request.kind, json.loads(json.dumps(dict(request.params)))):
        raise InvalidInput(
            f"Idempotency key {request.idempotency_key!r} of {request.created_by} stands for job {known.job_id}, which "
            "asks for something else. Use another key."
        )
    return known, False


def _ordered_id() -> str:
    """Return a UUID of version 7: milliseconds, then microseconds and a counter, then chance (RFC 9562, 6.2)."""
    with _ORDER:
        global _last_us  # noqa: PLW0603 - ids of one process rise even within a microsecond
        _last_us = micros = max(_last_us + 1, int(clock.now().timestamp() * 1e6))
    millis, rest = divmod(micros, 1000)
    value = (millis << 80) | (0x7 << 76) | (rest << 66) | (0b10 << 62) | secrets.randbits(62)
    return str(UUID(int=value))
