"""The tables chandlery owns, as Alembic migrates them: schemas `raw`, `ops`, `research`.

Bars carry `instrument_id`, not the ticker: a ticker may change hands. `ts` is the bar's open in UTC.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chandlery.store._columns import instrument_column, metadata, ts_column, value_columns
from chandlery.store.job_tables import job_events, jobs
from chandlery.store.quality_tables import (
    finding_events,
    findings,
    judged_sessions,
    repairs,
    witness_bars,
    witness_sources,
)
from chandlery.store.research_tables import (
    batches,
    equity,
    evaluations,
    exports,
    risk_reports,
    selections,
    strategies,
    studies,
    trades,
)

__all__ = [
    "OWNED_SCHEMAS",
    "api_keys",
    "bar_sessions",
    "bars_1d",
    "bars_1d_history",
    "bars_1m",
    "bars_1m_history",
    "batches",
    "calendar_findings",
    "corporate_actions",
    "dividends",
    "equity",
    "evaluations",
    "exports",
    "finding_events",
    "findings",
    "flat_files",
    "ingest_windows",
    "ingests",
    "instrument_tickers",
    "instruments",
    "job_events",
    "jobs",
    "judged_sessions",
    "metadata",
    "provider_gates",
    "publication",
    "quarantine",
    "repairs",
    "requests",
    "risk_reports",
    "selections",
    "session_exceptions",
    "sessions",
    "splits",
    "strategies",
    "studies",
    "ticker_events",
    "trades",
    "witness_bars",
    "witness_sources",
]

OWNED_SCHEMAS = frozenset({"raw", "ops", "research"})

instruments = Table(
    "instruments",
    metadata,
    Column("instrument_id", Integer, Identity(), primary_key=True),
    Column("asset_class", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("currency", Text, nullable=False, server_default="USD"),
    Column("name", Text),
    Column("listed_on", Date),
    Column("delisted_on", Date),
    Column("composite_figi", Text),
    Column("share_class_figi", Text),
    Column("cik", Text),
    Column("is_tracked", Boolean, nullable=False, server_default=text("true")),
    ts_column("created_at", default=True),
    schema="ops",
)

instrument_tickers = Table(
    "instrument_tickers",
    metadata,
    Column("ticker", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    instrument_column(),
    Column("source", Text, nullable=False),
    schema="ops",
)

sessions = Table(
    "sessions",
    metadata,
    Column("calendar", Text, primary_key=True),
    Column("session", Date, primary_key=True),
    ts_column("open"),
    ts_column("close"),
    ts_column("pre_open"),
    ts_column("post_close"),
    ts_column("day_ts"),
    ts_column("week_ts"),
    Column("is_early", Boolean, nullable=False),
    Column("votes", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    schema="ops",
)

session_exceptions = Table(
    "session_exceptions",
    metadata,
    Column("exception_id", Integer, Identity(), primary_key=True),
    Column("calendar", Text, nullable=False),
    Column("instrument_id", Integer, ForeignKey("ops.instruments.instrument_id")),
    Column("kind", Text, nullable=False),
    ts_column("starts_at"),
    ts_column("ends_at"),
    Column("reason", Text, nullable=False),
    Column("evidence", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("source", Text, nullable=False),
    ts_column("created_at", default=True),
    UniqueConstraint("calendar", "instrument_id", "kind", "starts_at", postgresql_nulls_not_distinct=True),
    schema="ops",
)

calendar_findings = Table(
    "calendar_findings",
    metadata,
    Column("finding_id", Integer, Identity(), primary_key=True),
    Column("calendar", Text, nullable=False),
    Column("session", Date, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    ts_column("found_at", default=True),
    UniqueConstraint("calendar", "session", "rule"),
    schema="ops",
)

ingest_windows = Table(
    "ingest_windows",
    metadata,
    Column("window_id", BigInteger, Identity(), primary_key=True),
    instrument_column(),
    Column("timeframe", Text, nullable=False),
    Column("start_session", Date, nullable=False),
    Column("end_session", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("last_answer", Text),
    Column("source", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("pages", Integer, nullable=False, server_default="0"),
    Column("rows_seen", Integer, nullable=False, server_default="0"),
    Column("rows_new", Integer, nullable=False, server_default="0"),
    Column("rows_revised", Integer, nullable=False, server_default="0"),
    Column("rows_withdrawn", Integer, nullable=False, server_default="0"),
    Column("rows_held", Integer, nullable=False, server_default="0"),
    Column("rows_dropped", Integer, nullable=False, server_default="0"),
    Column("error_code", Text),
    Column("run_id", Text),
    ts_column("started_at", default=True),
    ts_column("finished_at", nullable=True),
    UniqueConstraint("instrument_id", "timeframe", "start_session", "end_session"),
    schema="ops",
)

ingests = Table(
    "ingests",
    metadata,
    Column("ingest_id", Integer, Identity(), primary_key=True),
    Column("window_id", BigInteger, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("request_ids", ARRAY(Text), nullable=False),
    Column("payload_sha256", Text, nullable=False),
    Column("run_id", Text),
    ts_column("known_from"),
    schema="ops",
)

bar_sessions = Table(
    "bar_sessions",
    metadata,
    instrument_column(primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("session", Date, primary_key=True),
    Column("bars", Integer, nullable=False),
    ts_column("first_ts", nullable=True),
    ts_column("last_ts", nullable=True),
    Column("ingest_id", Integer, nullable=False),
    Column("first_ingest_id", Integer, nullable=False),
    schema="ops",
)

requests = Table(
    "requests",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("request_id", Text),
    Column("host", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("status", Integer),
    Column("outcome", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("ms", Integer, nullable=False),
    ts_column("sent_at"),
    Index(None, "sent_at"),
    schema="ops",
)

provider_gates = Table(
    "provider_gates",
    metadata,
    Column("host", Text, primary_key=True),
    Column("sends", ARRAY(DateTime(timezone=True)), nullable=False, server_default=text("'{}'")),
    Column("failures", Integer, nullable=False, server_default="0"),
    ts_column("opened_at", nullable=True),
    ts_column("probe_at", nullable=True),
    schema="ops",
)

flat_files = Table(
    "flat_files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("ingests", Integer, nullable=False, server_default="1"),
    ts_column("seen_at", default=True),
    schema="ops",
)

corporate_actions = Table(
    "corporate_actions",
    metadata,
    Column("action_id", BigInteger, Identity(), primary_key=True),
    instrument_column(),
    Column("kind", Text, nullable=False),
    Column("ex_date", Date, nullable=False),
    Column("split_from", Integer),
    Column("split_to", Integer),
    Column("cash", Numeric),
    Column("currency", Text),
    Column("status", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("source", Text, nullable=False),
    ts_column("known_from"),
    ts_column("known_to", nullable=True),
    Index(None, "instrument_id", "ex_date"),
    schema="ops",
)

publication = Table(
    "publication",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    ts_column("published_at", default=True),
    Column("run_id", Text),
    Column("code_version", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Index("uq_publication_current", "dataset", unique=True, postgresql_where=text("is_current")),
    schema="ops",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("preview", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    ts_column("created_at", default=True),
    ts_column("expires_at", nullable=True),
    ts_column("revoked_at", nullable=True),
    ts_column("last_used_at", nullable=True),
    schema="ops",
)


def _bars(name: str) -> Table:
    """Return the present version of every bar; eight-byte columns come first, so that no padding is stored."""
    return Table(name, metadata, *_version(), PrimaryKeyConstraint("instrument_id", "ts"), schema="raw")


def _history(name: str) -> Table:
    """Return the versions that were replaced or withdrawn: `superseded_by` is the ingest that did it."""
    return Table(
        name,
        metadata,
        *_version(),
        Column("superseded_by", Integer, nullable=False),
        PrimaryKeyConstraint("instrument_id", "ts", "ingest_id"),
        schema="raw",
    )


def _version() -> list[Column[object]]:
    prices = [Column(name, Double, nullable=False) for name in ("open", "high", "low", "close", "volume")]
    return [
        Column("ts", DateTime(timezone=True), nullable=False),
        *prices,
        Column("vwap", Double),
        Column("trade_count", BigInteger),
        Column("instrument_id", Integer, nullable=False),
        Column("ingest_id", Integer, nullable=False),
        Column("reason", Text, nullable=False),
    ]


bars_1m = _bars("massive__bars_1m")
bars_1d = _bars("massive__bars_1d")
bars_1m_history = _history("massive__bars_1m_history")
bars_1d_history = _history("massive__bars_1d_history")

quarantine = Table(
    "massive__quarantine",
    metadata,
    Column("window_id", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    instrument_column(),
    Column("timeframe", Text, nullable=False),
    Column("ts", DateTime(timezone=True), nullable=False),
    *value_columns(nullable=True),
    Column("rules", ARRAY(Text), nullable=False),
    ts_column("held_at", default=True),
    Index(None, "instrument_id", "timeframe", "ts"),
    schema="raw",
)

splits = Table(
    "massive__splits",
    metadata,
    instrument_column(primary_key=True),
    Column("execution_date", Date, primary_key=True),
    Column("split_from", Integer, primary_key=True, autoincrement=False),
    Column("split_to", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("known_from", DateTime(timezone=True), primary_key=True),
    ts_column("known_to", nullable=True),
    schema="raw",
)

dividends = Table(
    "massive__dividends",
    metadata,
    instrument_column(primary_key=True),
    Column("ex_dividend_date", Date, primary_key=True),
    Column("cash_amount", Numeric, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("declaration_date", Date),
    Column("record_date", Date),
    Column("pay_date", Date),
    Column("frequency", Integer),
    Column("source", Text, nullable=False),
    Column("known_from", DateTime(timezone=True), primary_key=True),
    ts_column("known_to", nullable=True),
    schema="raw",
)

ticker_events = Table(
    "massive__ticker_events",
    metadata,
    instrument_column(primary_key=True),
    Column("event_date", Date, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("ticker", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("known_from", DateTime(timezone=True), primary_key=True),
    ts_column("known_to", nullable=True),
    schema="raw",
)
