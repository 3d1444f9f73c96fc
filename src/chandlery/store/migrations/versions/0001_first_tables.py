"""The first tables of raw, ops and research.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        schema="ops",
    )
    op.create_table(
        "instruments",
        sa.Column("instrument_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("asset_class", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("delisted_on", sa.Date(), nullable=True),
        sa.Column("is_tracked", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_instruments")),
        schema="ops",
    )
    op.create_table(
        "publication",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "version", name=op.f("pk_publication")),
        schema="ops",
    )
    op.create_index(
        "uq_publication_current",
        "publication",
        ["dataset"],
        unique=True,
        schema="ops",
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "sessions",
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("open", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("week_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_early", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "session", name=op.f("pk_sessions")),
        schema="ops",
    )
    op.create_table(
        "massive__landing",
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("close", sa.Double(), nullable=True),
        sa.Column("volume", sa.Double(), nullable=True),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        schema="raw",
    )
    op.create_index(
        op.f("ix_massive__landing_window_id_seq"), "massive__landing", ["window_id", "seq"], unique=False, schema="raw"
    )
    op.create_table(
        "risk_reports",
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("portfolio", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("limit_state", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_risk_reports")),
        schema="research",
    )
    op.create_index(
        op.f("ix_risk_reports_portfolio_as_of"), "risk_reports", ["portfolio", "as_of"], unique=False, schema="research"
    )
    op.create_table(
        "strategies",
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("definition_hash", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("strategy", name=op.f("pk_strategies")),
        schema="research",
    )
    op.create_table(
        "findings",
        sa.Column("finding_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_findings_instrument_id")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
        sa.UniqueConstraint(
            "instrument_id", "timeframe", "ts", "rule", name=op.f("uq_findings_instrument_id_timeframe_ts_rule")
        ),
        schema="ops",
    )
    op.create_index(
        op.f("ix_findings_instrument_id_timeframe_session"),
        "findings",
        ["instrument_id", "timeframe", "session"],
        unique=False,
        schema="ops",
    )
    op.create_table(
        "ingest_windows",
        sa.Column("window_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("start_session", sa.Date(), nullable=False),
        sa.Column("end_session", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_new", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_revised", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_dropped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_ingest_windows_instrument_id")
        ),
        sa.PrimaryKeyConstraint("window_id", name=op.f("pk_ingest_windows")),
        sa.UniqueConstraint(
            "instrument_id",
            "timeframe",
            "start_session",
            "end_session",
            name=op.f("uq_ingest_windows_instrument_id_timeframe_start_session_end_session"),
        ),
        schema="ops",
    )
    op.create_table(
        "instrument_tickers",
        sa.Column("ticker", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_instrument_tickers_instrument_id")
        ),
        sa.PrimaryKeyConstraint("ticker", "valid_from", name=op.f("pk_instrument_tickers")),
        schema="ops",
    )
    op.create_table(
        "massive__bars_1d",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_massive__bars_1d_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "ts", name=op.f("pk_massive__bars_1d")),
        schema="raw",
    )
    op.create_table(
        "massive__bars_1m",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_massive__bars_1m_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "ts", name=op.f("pk_massive__bars_1m")),
        schema="raw",
    )
    op.create_table(
        "massive__quarantine",
        sa.Column("window_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("close", sa.Double(), nullable=True),
        sa.Column("volume", sa.Double(), nullable=True),
        sa.Column("vwap", sa.Double(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), nullable=True),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_massive__quarantine_instrument_id")
        ),
        schema="raw",
    )
    op.create_index(
        op.f("ix_massive__quarantine_instrument_id_timeframe_ts"),
        "massive__quarantine",
        ["instrument_id", "timeframe", "ts"],
        unique=False,
        schema="raw",
    )
    op.create_table(
        "massive__splits",
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("execution_date", sa.Date(), nullable=False),
        sa.Column("split_from", sa.Integer(), nullable=False),
        sa.Column("split_to", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_massive__splits_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "execution_date", name=op.f("pk_massive__splits")),
        schema="raw",
    )
    op.create_table(
        "studies",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("strategy_version", sa.Integer(), nullable=False),
        sa.Column("definition_hash", sa.Text(), nullable=False),
        sa.Column("instrument_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("panel_id", sa.Text(), nullable=False),
        sa.Column("first_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bars", sa.Integer(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("trials", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("best_params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["ops.instruments.instrument_id"], name=op.f("fk_studies_instrument_id")
        ),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_studies")),
        schema="research",
    )
    op.create_table(
        "equity",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("equity", sa.Double(), nullable=False),
        sa.Column("benchmark", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["research.studies.study_id"], name=op.f("fk_equity_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "ts", name=op.f("pk_equity")),
        schema="research",
    )
    op.create_table(
        "evaluations",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["research.studies.study_id"], name=op.f("fk_evaluations_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "seq", name=op.f("pk_evaluations")),
        schema="research",
    )
    op.create_table(
        "trades",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("entry_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exit_ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_price", sa.Double(), nullable=False),
        sa.Column("exit_price", sa.Double(), nullable=True),
        sa.Column("net_return", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_id"], ["research.studies.study_id"], name=op.f("fk_trades_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "seq", name=op.f("pk_trades")),
        schema="research",
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("trades", schema="research")
    op.drop_table("evaluations", schema="research")
    op.drop_table("equity", schema="research")
    op.drop_table("studies", schema="research")
    op.drop_table("massive__splits", schema="raw")
    op.drop_index(
        op.f("ix_massive__quarantine_instrument_id_timeframe_ts"), table_name="massive__quarantine", schema="raw"
    )
    op.drop_table("massive__quarantine", schema="raw")
    op.drop_table("massive__bars_1m", schema="raw")
    op.drop_table("massive__bars_1d", schema="raw")
    op.drop_table("instrument_tickers", schema="ops")
    op.drop_table("ingest_windows", schema="ops")
    op.drop_index(op.f("ix_findings_instrument_id_timeframe_session"), table_name="findings", schema="ops")
    op.drop_table("findings", schema="ops")
    op.drop_table("strategies", schema="research")
    op.drop_index(op.f("ix_risk_reports_portfolio_as_of"), table_name="risk_reports", schema="research")
    op.drop_table("risk_reports", schema="research")
    op.drop_index(op.f("ix_massive__landing_window_id_seq"), table_name="massive__landing", schema="raw")
    op.drop_table("massive__landing", schema="raw")
    op.drop_table("sessions", schema="ops")
    op.drop_index(
        "uq_publication_current", table_name="publication", schema="ops", postgresql_where=sa.text("is_current")
    )
    op.drop_table("publication", schema="ops")
    op.drop_table("instruments", schema="ops")
    op.drop_table("api_keys", schema="ops")
