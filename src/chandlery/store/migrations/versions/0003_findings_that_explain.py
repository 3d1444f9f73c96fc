"""Findings with verdict, span and state; repairs; judged sessions; bars of other sources.

Revision 0003, after 0002. A finding may be about a venue (no instrument). What the gate found before this revision
keeps its rows: the check and the term are those of its rule, the verdict is suspected until it is judged again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CHECKS = """
update ops.findings as f set
    last_session = f.session,
    calendar = i.calendar,
    "check" = case
        when f.rule = 'values_are_finite' then 1
        when f.rule in ('high_covers_body', 'low_covers_body') then 2
        when f.rule = 'prices_are_positive' then 3
        when f.rule in ('key_is_unique', 'bar_is_not_repeated') then 4
        when f.rule = 'ts_is_on_grid' then 5
        when f.rule = 'bar_lies_in_its_window' then 6
        when f.rule = 'bar_lies_in_a_session' then 7
        when f.rule = 'session_has_its_bar' then 8
        when f.rule = 'price_moves_with_volume' then 14
        when f.rule = 'bar_is_no_filler' then 15
        when f.rule in ('vwap_lies_within_range', 'trade_count_fits_volume') then 16
        when f.rule = 'session_is_complete' then 17
        else 24
    end
from ops.instruments as i
where i.instrument_id = f.instrument_id
"""
_TERMS = """
update ops.findings set term = case
    when "check" <= 6 then 'validity'
    when "check" in (8, 17) then 'completeness'
    when "check" in (15, 24) then 'none'
    else 'plausibility'
end
"""
_NEW = ("finding_events", "repairs", "judged_sessions", "witness_sources")
_NOW = sa.text("now()")
_EMPTY = sa.text("'{}'::jsonb")


def _instrument() -> sa.Column[int]:
    return sa.Column("instrument_id", sa.Integer(), nullable=False, autoincrement=False)


def _owner(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_instrument_id")
    return sa.ForeignKeyConstraint(["instrument_id"], ["ops.instruments.instrument_id"], name=name)


def _ts(name: str, *, default: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not default, server_default=_NOW if default else None)


def _widen_findings() -> None:
    for column, kind in (
        ("calendar", sa.Text()),
        ("last_session", sa.Date()),
        ("check", sa.SmallInteger()),
        ("verdict", sa.Text()),
        ("term", sa.Text()),
        ("ts_end", sa.DateTime(timezone=True)),
        ("decided_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("findings", sa.Column(column, kind), schema="ops")
    op.execute(_CHECKS)
    op.execute(_TERMS)
    op.execute("update ops.findings set verdict = 'suspected'")
    for column in ("calendar", "last_session", "check", "verdict", "term"):
        op.alter_column("findings", column, nullable=False, schema="ops")
    for column in ("instrument_id", "window_id"):
        op.alter_column("findings", column, nullable=True, schema="ops")
    op.drop_constraint(op.f("uq_findings_instrument_id_timeframe_ts_rule"), "findings", schema="ops")
    op.create_unique_constraint(
        op.f("uq_findings_instrument_id_calendar_timeframe_ts_rule"),
        "findings",
        ["instrument_id", "calendar", "timeframe", "ts", "rule"],
        schema="ops",
        postgresql_nulls_not_distinct=True,
    )


def _create_events_and_repairs() -> None:
    op.create_table(
        "finding_events",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        _ts("happened_at"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("event", "actor", "from_state", "to_state")),
        sa.Column("detail", postgresql.JSONB(), nullable=False, server_default=_EMPTY),
        sa.ForeignKeyConstraint(
            ["finding_id"],
            ["ops.findings.finding_id"],
            name=op.f("fk_finding_events_finding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_finding_events")),
        schema="ops",
    )
    op.create_table(
        "repairs",
        sa.Column("repair_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        _instrument(),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, server_default="proposed"),
        sa.Column("is_exact", sa.Boolean(), nullable=False),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("before", "after", "evidence")),
        _ts("proposed_at"),
        _ts("decided_at", default=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("ingest_id", sa.Integer()),
        sa.Column("undone_by", sa.Integer()),
        sa.ForeignKeyConstraint(["finding_id"], ["ops.findings.finding_id"], name=op.f("fk_repairs_finding_id")),
        _owner("repairs"),
        sa.PrimaryKeyConstraint("repair_id", name=op.f("pk_repairs")),
        schema="ops",
    )
    for table in ("finding_events", "repairs"):
        op.create_index(op.f(f"ix_{table}_finding_id"), table, ["finding_id"], schema="ops")
    # Every publication asks which bars of its series stand as repaired.
    columns = ["instrument_id", "timeframe"]
    op.create_index(op.f("ix_repairs_instrument_id_timeframe"), "repairs", columns, schema="ops")


def _create_judged_and_witness() -> None:
    op.create_table(
        "judged_sessions",
        _instrument(),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("read_key", sa.Text(), nullable=False),
        _ts("judged_at"),
        _owner("judged_sessions"),
        sa.PrimaryKeyConstraint("instrument_id", "timeframe", "session", name=op.f("pk_judged_sessions")),
        schema="ops",
    )
    op.create_table(
        "witness_sources",
        _instrument(),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("is_independent", sa.Boolean(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        _ts("judged_at"),
        _owner("witness_sources"),
        sa.PrimaryKeyConstraint("instrument_id", "timeframe", "source", name=op.f("pk_witness_sources")),
        schema="ops",
    )
    op.create_table(
        "witness__bars",
        _instrument(),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("open", "high", "low", "close", "volume")),
        sa.Column("basis_on", sa.Date()),
        _ts("known_from"),
        _owner("witness__bars"),
        sa.PrimaryKeyConstraint("instrument_id", "timeframe", "source", "ts", name=op.f("pk_witness__bars")),
        schema="raw",
    )


def upgrade() -> None:
    """Findings gain columns, the rest are new tables."""
    # dbt made its staging view over the columns as they were; the next `sync_universe` makes it anew.
    op.execute("drop view if exists staging.stg_ops__findings cascade")
    _widen_findings()
    op.add_column("ingest_windows", sa.Column("last_answer", sa.Text()), schema="ops")
    op.add_column("bar_sessions", sa.Column("first_ingest_id", sa.Integer()), schema="ops")
    op.execute("update ops.bar_sessions set first_ingest_id = ingest_id")
    op.alter_column("bar_sessions", "first_ingest_id", nullable=False, schema="ops")
    _create_events_and_repairs()
    _create_judged_and_witness()


def downgrade() -> None:
    """Findings about venues and of judged series are lost with their columns."""
    op.drop_table("witness__bars", schema="raw")
    for name in _NEW:
        op.drop_table(name, schema="ops")
    op.drop_column("bar_sessions", "first_ingest_id", schema="ops")
    op.drop_column("ingest_windows", "last_answer", schema="ops")
    op.execute("delete from ops.findings where instrument_id is null or window_id is null")
    op.drop_constraint(op.f("uq_findings_instrument_id_calendar_timeframe_ts_rule"), "findings", schema="ops")
    for column in ("decided_at", "ts_end", "term", "verdict", "check", "last_session", "calendar"):
        op.execute(f'alter table ops.findings drop column "{column}" cascade')
    for column in ("instrument_id", "window_id"):
        op.alter_column("findings", column, nullable=False, schema="ops")
    op.create_unique_constraint(
        op.f("uq_findings_instrument_id_timeframe_ts_rule"),
        "findings",
        ["instrument_id", "timeframe", "ts", "rule"],
        schema="ops",
    )
