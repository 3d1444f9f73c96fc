"""Versions of bars, corporate actions, request log, calendar votes.

Revision 0002, after 0001. Bars name the ingest that brought them instead of source, window and time; what they say of
these moves to `ops.ingests`. Staging views over the old columns are dropped; the next `sync_universe` makes them anew.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SESSIONS = """
update ops.sessions set
    pre_open = case calendar when '24/7' then open else (session + time '04:00') at time zone 'America/New_York' end,
    post_close = case calendar
        when '24/7' then close
        else (session + case when is_early then time '17:00' else time '20:00' end) at time zone 'America/New_York'
    end
"""
_INGESTS = """
insert into ops.ingests (window_id, attempt, source, request_ids, payload_sha256, known_from)
select window_id, 0, source, '{}', '', max(known_from)
from raw.%(old)s
group by window_id, source, known_from
"""
_COPY = """
insert into raw.%(name)s
    (ts, open, high, low, close, volume, vwap, trade_count, instrument_id, ingest_id, reason)
select
    bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.vwap, bars.trade_count,
    bars.instrument_id, ingests.ingest_id, 'first'
from raw.%(old)s as bars
inner join ops.ingests as ingests
    on
        bars.window_id = ingests.window_id
        and bars.source = ingests.source
        and bars.known_from = ingests.known_from
"""
_BAR_SESSIONS = """
insert into ops.bar_sessions (instrument_id, timeframe, session, bars, first_ts, last_ts, ingest_id)
select
    bars.instrument_id,
    '%(timeframe)s',
    (bars.ts at time zone case instruments.calendar when '24/7' then 'UTC' else 'America/New_York' end)::date,
    count(*),
    min(bars.ts),
    max(bars.ts),
    max(bars.ingest_id)
from raw.%(name)s as bars
inner join ops.instruments as instruments on bars.instrument_id = instruments.instrument_id
group by 1, 3
"""


def _bars(name: str, timeframe: str) -> None:
    names = {"name": name, "old": f"{name}_before", "timeframe": timeframe}
    op.rename_table(name, names["old"], schema="raw")
    op.execute("alter index raw.pk_%(name)s rename to pk_%(old)s" % names)  # noqa: UP031
    op.create_table(
        name,
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(column, sa.Double(), nullable=False) for column in ("open", "high", "low", "close", "volume")),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("ingest_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "ts", name=op.f(f"pk_{name}")),
        schema="raw",
    )
    for statement in (_INGESTS, _COPY, _BAR_SESSIONS):
        op.execute(statement % names)
    op.execute("drop table raw.%(old)s cascade" % names)  # noqa: UP031


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calendar_findings",
        sa.Column("finding_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_calendar_findings")),
        sa.UniqueConstraint("calendar", "session", "rule", name=op.f("uq_calendar_findings_calendar_session_rule")),
        schema="ops",
    )
    op.create_table(
        "flat_files",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("ingests", sa.Integer(), server_default="1", nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_flat_files")),
        schema="ops",
    )
    op.create_table(
        "ingests",
        sa.Column("ingest_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("request_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("payload_sha256", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ingest_id", name=op.f("pk_ingests")),
        schema="ops",
    )
    op.create_index(op.f("ix_ingests_window_id"), "ingests", ["window_id"], unique=False, schema="ops")
    op.create_table(
        "provider_gates",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column(
            "sends", postgresql.ARRAY(sa.DateTime(timezone=True)), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_provider_gates")),
        schema="ops",
    )
    op.create_table(
        "requests",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_requests")),
        schema="ops",
    )
    op.create_index(op.f("ix_requests_sent_at"), "requests", ["sent_at"], unique=False, schema="ops")
    op.create_table(
        "massive__bars_1d_history",
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("ingest_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("superseded_by", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "ts", "ingest_id", name=op.f("pk_massive__bars_1d_history")),
        schema="raw",
    )
    op.create_table(
        "massive__bars_1m_history",
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        sa.Column("instrument_id", sa.Integer(), nullable=False),
        sa.Column("ingest_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("superseded_by", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "ts", "ingest_id", name=op.f("pk_massive__bars_1m_history")),
        schema="raw",
    )
    op.create_table(
        "bar_sessions",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=False),
        sa.Column("first_ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ingest_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_bar_sessions_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "timeframe", "session", name=op.f("pk_bar_sessions")),
        schema="ops",
    )
    op.create_table(
        "corporate_actions",
        sa.Column("action_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("split_from", sa.Integer(), nullable=True),
        sa.Column("split_to", sa.Integer(), nullable=True),
        sa.Column("cash", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_corporate_actions_instrument_id")
        ),
        sa.PrimaryKeyConstraint("action_id", name=op.f("pk_corporate_actions")),
        schema="ops",
    )
    op.create_index(
        op.f("ix_corporate_actions_instrument_id_ex_date"),
        "corporate_actions",
        ["instrument_id", "ex_date"],
        unique=False,
        schema="ops",
    )
    op.create_table(
        "session_exceptions",
        sa.Column("exception_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "evidence", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_session_exceptions_instrument_id")
        ),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_session_exceptions")),
        sa.UniqueConstraint(
            "calendar",
            "instrument_id",
            "kind",
            "starts_at",
            name=op.f("uq_session_exceptions_calendar_instrument_id_kind_starts_at"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="ops",
    )
    op.create_table(
        "massive__dividends",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ex_dividend_date", sa.Date(), nullable=False),
        sa.Column("cash_amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("declaration_date", sa.Date(), nullable=True),
        sa.Column("record_date", sa.Date(), nullable=True),
        sa.Column("pay_date", sa.Date(), nullable=True),
        sa.Column("frequency", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_massive__dividends_instrument_id")
        ),
        sa.PrimaryKeyConstraint(
            "instrument_id",
            "ex_dividend_date",
            "cash_amount",
            "currency",
            "kind",
            "known_from",
            name=op.f("pk_massive__dividends"),
        ),
        schema="raw",
    )
    op.create_table(
        "massive__ticker_events",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_massive__ticker_events_instrument_id")
        ),
        sa.PrimaryKeyConstraint(
            "instrument_id", "event_date", "kind", "ticker", "known_from", name=op.f("pk_massive__ticker_events")
        ),
        schema="raw",
    )
    op.drop_index(op.f("ix_massive__landing_window_id_seq"), table_name="massive__landing", schema="raw")
    op.drop_table("massive__landing", schema="raw")
    op.add_column(
        "ingest_windows", sa.Column("rows_withdrawn", sa.Integer(), server_default="0", nullable=False), schema="ops"
    )
    op.add_column("instruments", sa.Column("composite_figi", sa.Text(), nullable=True), schema="ops")
    op.add_column("instruments", sa.Column("share_class_figi", sa.Text(), nullable=True), schema="ops")
    op.add_column("instruments", sa.Column("cik", sa.Text(), nullable=True), schema="ops")
    op.add_column("sessions", sa.Column("pre_open", sa.DateTime(timezone=True)), schema="ops")
    op.add_column("sessions", sa.Column("post_close", sa.DateTime(timezone=True)), schema="ops")
    op.add_column(
        "sessions",
        sa.Column("votes", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        schema="ops",
    )
    op.execute(_SESSIONS)
    op.alter_column("sessions", "pre_open", nullable=False, schema="ops")
    op.alter_column("sessions", "post_close", nullable=False, schema="ops")
    _bars("massive__bars_1m", "1m")
    _bars("massive__bars_1d", "1d")
    op.alter_column("massive__splits", "known_from", server_default=None, schema="raw")
    op.add_column("massive__splits", sa.Column("known_to", sa.DateTime(timezone=True)), schema="raw")
    op.drop_constraint("pk_massive__splits", "massive__splits", schema="raw")
    op.create_primary_key(
        "pk_massive__splits",
        "massive__splits",
        ["instrument_id", "execution_date", "split_from", "split_to", "known_from"],
        schema="raw",
    )
    op.execute("update ops.ingest_windows set status = 'empty_suspected' where status = 'empty'")


def downgrade() -> None:
    """Undo: present bars go back with source, window and time; earlier versions have no place there and are lost."""
    for table in ("massive__bars_1m", "massive__bars_1d"):
        _bars_before(table)
    op.execute("delete from raw.massive__splits where known_to is not null")
    op.drop_constraint("pk_massive__splits", "massive__splits", schema="raw")
    op.drop_column("massive__splits", "known_to", schema="raw")
    op.alter_column("massive__splits", "known_from", server_default=sa.text("now()"), schema="raw")
    op.create_primary_key("pk_massive__splits", "massive__splits", ["instrument_id", "execution_date"], schema="raw")
    for column in ("votes", "post_close", "pre_open"):
        op.drop_column("sessions", column, schema="ops")
    for column in ("cik", "share_class_figi", "composite_figi"):
        op.drop_column("instruments", column, schema="ops")
    op.drop_column("ingest_windows", "rows_withdrawn", schema="ops")
    op.create_table(
        "massive__landing",
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Double()) for name in ("open", "high", "low", "close", "volume", "vwap")),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        schema="raw",
    )
    op.create_index(op.f("ix_massive__landing_window_id_seq"), "massive__landing", ["window_id", "seq"], schema="raw")
    for schema, names in _NEW.items():
        for name in names:
            op.drop_table(name, schema=schema)


_NEW = {
    "raw": ("massive__ticker_events", "massive__dividends", "massive__bars_1m_history", "massive__bars_1d_history"),
    "ops": (
        "session_exceptions",
        "calendar_findings",
        "corporate_actions",
        "bar_sessions",
        "requests",
        "provider_gates",
        "ingests",
        "flat_files",
    ),
}


def _bars_before(table: str) -> None:
    op.add_column(table, sa.Column("source", sa.Text()), schema="raw")
    op.add_column(table, sa.Column("window_id", sa.BigInteger()), schema="raw")
    op.add_column(
        table, sa.Column("known_from", sa.DateTime(timezone=True), server_default=sa.text("now()")), schema="raw"
    )
    op.execute(
        f"update raw.{table} as bars set source = i.source, window_id = i.window_id, known_from = i.known_from "  # noqa: S608
        "from ops.ingests as i where i.ingest_id = bars.ingest_id"
    )
    for column in ("source", "window_id", "known_from"):
        op.alter_column(table, column, nullable=False, schema="raw")
    op.execute(f"alter table raw.{table} drop column ingest_id cascade, drop column reason cascade")
    op.create_foreign_key(
        op.f(f"fk_{table}_instrument_id"),
        table,
        "instruments",
        ["instrument_id"],
        ["instrument_id"],
        source_schema="raw",
        referent_schema="ops",
    )
