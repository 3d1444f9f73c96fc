"""Tables of quality: findings and what became of them, repairs, what was judged, bars of other sources."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
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
from sqlalchemy.dialects.postgresql import JSONB

from chandlery.store._columns import instrument_column, metadata, ts_column, value_columns

findings = Table(
    "findings",
    metadata,
    Column("finding_id", BigInteger, Identity(), primary_key=True),
    Column("instrument_id", Integer, ForeignKey("ops.instruments.instrument_id")),
    Column("calendar", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    ts_column("ts"),
    ts_column("ts_end", nullable=True),
    Column("session", Date, nullable=False),
    Column("last_session", Date, nullable=False),
    Column("rule", Text, nullable=False),
    Column("check", SmallInteger, nullable=False),
    Column("severity", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("term", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("window_id", BigInteger),
    ts_column("found_at", default=True),
    ts_column("decided_at", nullable=True),
    UniqueConstraint("instrument_id", "calendar", "timeframe", "ts", "rule", postgresql_nulls_not_distinct=True),
    Index(None, "instrument_id", "timeframe", "session"),
    schema="ops",
)

finding_events = Table(
    "finding_events",
    metadata,
    Column("event_id", BigInteger, Identity(), primary_key=True),
    Column("finding_id", BigInteger, ForeignKey("ops.findings.finding_id", ondelete="CASCADE"), nullable=False),
    ts_column("happened_at", default=True),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index(None, "finding_id"),
    schema="ops",
)

repairs = Table(
    "repairs",
    metadata,
    Column("repair_id", BigInteger, Identity(), primary_key=True),
    Column("finding_id", BigInteger, ForeignKey("ops.findings.finding_id"), nullable=False),
    instrument_column(),
    Column("timeframe", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="proposed"),
    Column("is_exact", Boolean, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    Column("evidence", JSONB, nullable=False),
    ts_column("proposed_at", default=True),
    ts_column("decided_at", nullable=True),
    Column("decided_by", Text),
    Column("ingest_id", Integer),
    Column("undone_by", Integer),
    Index(None, "finding_id"),
    Index(None, "instrument_id", "timeframe"),
    schema="ops",
)

judged_sessions = Table(
    "judged_sessions",
    metadata,
    instrument_column(primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("session", Date, primary_key=True),
    Column("read_key", Text, nullable=False),
    ts_column("judged_at", default=True),
    schema="ops",
)

witness_sources = Table(
    "witness_sources",
    metadata,
    instrument_column(primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("is_independent", Boolean, nullable=False),
    Column("sessions", Integer, nullable=False),
    ts_column("judged_at", default=True),
    schema="ops",
)

witness_bars = Table(
    "witness__bars",
    metadata,
    instrument_column(primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("ts", DateTime(timezone=True), primary_key=True),
    *value_columns()[:5],
    Column("basis_on", Date),
    ts_column("known_from", default=True),
    schema="raw",
)
