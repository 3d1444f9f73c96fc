"""Tables of jobs: what was asked for, by whom, how far it is, and what happened."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chandlery.store._columns import metadata, ts_column

_EMPTY = text("'{}'::jsonb")
_FALSE = text("false")

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", UUID(as_uuid=False), primary_key=True),
    # study, batch (the parent of studies)
    Column("kind", Text, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("parent_id", UUID(as_uuid=False), ForeignKey("ops.jobs.job_id", ondelete="CASCADE")),
    # 0 to 9, 9 first
    Column("priority", SmallInteger, nullable=False, server_default=text("5")),
    # queued, claimed, running, succeeded, failed, cancelled
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer),
    # evaluations a second, seconds left, best score so far
    Column("rate", Double),
    Column("eta_s", Double),
    Column("best", Double),
    # Why it waits, what it does, or why it failed.
    Column("message", Text),
    Column("cancel_requested", Boolean, nullable=False, server_default=_FALSE),
    # The study it makes; known from the first run on.
    Column("study_id", Text),
    Column("run_id", Text),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("idempotency_key", Text),
    Column("created_by", Text, nullable=False),
    ts_column("created_at", default=True),
    ts_column("started_at", nullable=True),
    ts_column("heartbeat_at", nullable=True),
    ts_column("finished_at", nullable=True),
    UniqueConstraint("created_by", "idempotency_key"),
    Index(None, "state", "priority", "created_at"),
    Index(None, "parent_id"),
    Index(None, "study_id"),
    schema="ops",
)

job_events = Table(
    "job_events",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("job_id", UUID(as_uuid=False), ForeignKey("ops.jobs.job_id", ondelete="CASCADE"), nullable=False),
    ts_column("happened_at", default=True),
    # submitted, claimed, started, progressed, cancelling, cancelled, finished, failed, requeued, reprioritised
    Column("event", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=_EMPTY),
    Index(None, "job_id", "seq"),
    schema="ops",
)
