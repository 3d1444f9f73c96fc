"""Notes on jobs that wait: why, and that somebody knows of them."""

from collections.abc import Sequence

from sqlalchemy import func

from chandlery.store.job_tables import jobs
from chandlery.store.jobs import JobState
from chandlery.store.warehouse import Warehouse


def note_waiting(warehouse: Warehouse, job_id: str, message: str | None) -> None:
    """Say why a queued job waits; one that is not queued any more is left as it is."""
    chosen = (jobs.c.job_id == job_id) & (jobs.c.state == JobState.QUEUED.value)
    with warehouse.write() as connection:
        connection.execute(jobs.update().where(chosen).values(message=message))


def note_alive(warehouse: Warehouse, job_ids: Sequence[str]) -> None:
    """Give claimed jobs a sign of life: their runs wait for a place, which is no loss."""
    chosen = jobs.c.job_id.in_(job_ids) & (jobs.c.state == JobState.CLAIMED.value)
    with warehouse.write() as connection:
        connection.execute(jobs.update().where(chosen).values(heartbeat_at=func.now()))
