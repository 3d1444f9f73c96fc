"""What happened to jobs, in order: one row a transition, and one a progress."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from chandlery.store.tables import job_events
from chandlery.store.warehouse import Warehouse, Writer

PROGRESSED = "progressed"


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One event; `seq` rises over all jobs.

    `event`: submitted, claimed, started, progressed, cancelling, cancelled, finished, failed, requeued, reprioritised.
    """

    seq: int
    job_id: str
    happened_at: datetime
    event: str
    detail: Mapping[str, Any]


def add_event(connection: Writer, job_id: str, event: str, **detail: object) -> None:
    """Append an event inside the connection's transaction."""
    connection.execute(job_events.insert().values(job_id=job_id, event=event, detail=detail))


def read_events(
    warehouse: Warehouse, job_id: str | None = None, *, after: int = 0, limit: int = 1000
) -> tuple[JobEvent, ...]:
    """Return events with a `seq` above `after`, ascending, of one job or of all."""
    columns = [job_events.c[field.name] for field in fields(JobEvent)]
    query = select(*columns).where(job_events.c.seq > after).order_by(job_events.c.seq).limit(limit)
    if job_id is not None:
        query = query.where(job_events.c.job_id == job_id)
    with warehouse.read() as connection:
        return tuple(JobEvent(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 - public in SQLAlchemy


def prune_events(warehouse: Warehouse, *, older_than: timedelta) -> int:
    """Remove progress events of that age; transitions stay. Return the number removed."""
    old = (job_events.c.event == PROGRESSED) & (job_events.c.happened_at < func.now() - older_than)
    with warehouse.write() as connection:
        return connection.execute(delete(job_events).where(old)).rowcount
