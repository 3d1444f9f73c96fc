"""Jobs; studies that open before they end; wide evaluations; batches, selections, exports.

Revision 0004, after 0003. Studies of before keep their answers: their figures become columns, their end is the
instant they were stored. What dbt builds of studies are tables: no view stands on a column that goes.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")
_EMPTY = sa.text("'{}'::jsonb")
_COUNTS = ("closed_trades", "wins", "exposure_bars")
_METRICS = ("equity", "closed_trades", "wins", "gross_profit", "gross_loss", "max_dd", "bar_sharpe", "exposure_bars")
_WIDEN = "update research.evaluations set " + ", ".join(  # noqa: S608 - names of this file
    [
        "number = coalesce((metrics ->> 'number')::bigint, seq)",
        "score = (metrics ->> 'score')::double precision",
        "scores = jsonb_build_array(metrics -> 'score')",
        *(
            f"{name} = (metrics ->> '{name}')::double precision" + ("::integer" if name in _COUNTS else "")
            for name in _METRICS
        ),
    ]
)
_NARROW = "update research.evaluations set metrics = jsonb_build_object('number', number, 'score', score, {})".format(  # noqa: S608 - the same
    ", ".join(f"'{name}', {name}" for name in _METRICS)
)


def _ts(name: str, *, default: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not default, server_default=_NOW if default else None)


def _study(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_study_id")
    reference = sa.ForeignKeyConstraint(["study_id"], ["research.studies.study_id"], name=name, ondelete="CASCADE")
    return sa.Column("study_id", sa.Text(), nullable=False), reference


def _open_studies() -> None:
    for added in (
        sa.Column("question", postgresql.JSONB(), nullable=False, server_default=_EMPTY),
        sa.Column("budget", sa.Integer()),
        sa.Column("parts", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("fence", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("evidence", postgresql.JSONB()),
        _ts("finished_at"),
    ):
        op.add_column("studies", added, schema="research")
    op.execute("update research.studies set budget = trials, finished_at = created_at")
    op.alter_column("studies", "budget", nullable=False, schema="research")
    op.alter_column("studies", "trials", server_default=sa.text("0"), schema="research")
    for column in ("best_params", "metrics", "verdict"):
        op.alter_column("studies", column, nullable=True, schema="research")
    columns = ["strategy", "instrument_id", "created_at"]
    op.create_index(op.f("ix_studies_strategy_instrument_id_created_at"), "studies", columns, schema="research")


def _widen_evaluations() -> None:
    kinds: list[tuple[str, Any]] = [("number", sa.BigInteger()), ("score", sa.Double()), ("scores", postgresql.JSONB())]
    kinds += [(name, sa.Integer() if name in _COUNTS else sa.Double()) for name in _METRICS]
    for name, kind in kinds:
        op.add_column("evaluations", sa.Column(name, kind), schema="research")
    for name in ("batch", "part"):
        column = sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"))
        op.add_column("evaluations", column, schema="research")
        op.alter_column("evaluations", name, server_default=None, schema="research")
    state = sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'complete'"))
    op.add_column("evaluations", state, schema="research")
    op.alter_column("evaluations", "state", server_default=None, schema="research")
    op.add_column("evaluations", sa.Column("reason", sa.Text()), schema="research")
    op.execute(_WIDEN)
    for name in ("number", "scores"):
        op.alter_column("evaluations", name, nullable=False, schema="research")
    op.drop_column("evaluations", "metrics", schema="research")


def _create_batches_and_selections() -> None:
    column, reference = _study("batches")
    op.create_table(
        "batches",
        column,
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("batch", "part", "first_seq", "size")),
        *(sa.Column(name, sa.Text()) for name in ("moments_file", "moments_sha256")),
        sa.Column("fence", sa.Integer(), nullable=False),
        _ts("committed_at", default=True),
        reference,
        sa.PrimaryKeyConstraint("study_id", "batch", "part", name=op.f("pk_batches")),
        schema="research",
    )
    column, reference = _study("selections")
    op.create_table(
        "selections",
        column,
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("params", "scores")),
        sa.Column("detail", postgresql.JSONB(), nullable=False, server_default=_EMPTY),
        reference,
        sa.PrimaryKeyConstraint("study_id", "kind", "rank", name=op.f("pk_selections")),
        schema="research",
    )


def _create_exports() -> None:
    column, reference = _study("exports")
    op.create_table(
        "exports",
        sa.Column("export_id", sa.Text(), nullable=False),
        column,
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "file_name", "mime_type")),
        sa.Column("size", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sha256", "path")),
        _ts("created_at", default=True),
        _ts("expires_at"),
        _ts("removed_at"),
        reference,
        sa.PrimaryKeyConstraint("export_id", name=op.f("pk_exports")),
        schema="research",
    )
    op.create_index(op.f("ix_exports_study_id_kind"), "exports", ["study_id", "kind"], schema="research")
    op.create_index(op.f("ix_exports_expires_at"), "exports", ["expires_at"], schema="research")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", postgresql.UUID(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("parent_id", postgresql.UUID(as_uuid=False)),
        sa.Column("priority", sa.SmallInteger(), nullable=False, server_default=sa.text("5")),
        sa.Column("state", sa.Text(), nullable=False, server_default=sa.text("'queued'")),
        sa.Column("done", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("total", sa.Integer()),
        *(sa.Column(name, sa.Double()) for name in ("rate", "eta_s", "best")),
        sa.Column("message", sa.Text()),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        *(sa.Column(name, sa.Text()) for name in ("study_id", "run_id")),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("created_by", sa.Text(), nullable=False),
        _ts("created_at", default=True),
        *(_ts(name) for name in ("started_at", "heartbeat_at", "finished_at")),
        sa.ForeignKeyConstraint(["parent_id"], ["ops.jobs.job_id"], name=op.f("fk_jobs_parent_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("created_by", "idempotency_key", name=op.f("uq_jobs_created_by_idempotency_key")),
        schema="ops",
    )
    op.create_table(
        "job_events",
        sa.Column("seq", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("job_id", postgresql.UUID(as_uuid=False), nullable=False),
        _ts("happened_at", default=True),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False, server_default=_EMPTY),
        sa.ForeignKeyConstraint(["job_id"], ["ops.jobs.job_id"], name=op.f("fk_job_events_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_job_events")),
        schema="ops",
    )
    for table, columns in (
        ("jobs", ["state", "priority", "created_at"]),
        ("jobs", ["parent_id"]),
        ("jobs", ["study_id"]),
        ("job_events", ["job_id", "seq"]),
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns, schema="ops")


def upgrade() -> None:
    """Create jobs, batches, selections and exports; open studies; widen evaluations."""
    _open_studies()
    _widen_evaluations()
    _create_batches_and_selections()
    _create_exports()
    _create_jobs()


def downgrade() -> None:
    """Go back to studies that are stored whole; unfinished ones are dropped."""
    for schema, table in (("ops", "job_events"), ("ops", "jobs")):
        op.drop_table(table, schema=schema)
    for table in ("exports", "selections", "batches"):
        op.drop_table(table, schema="research")
    op.execute("delete from research.studies where finished_at is null")
    op.add_column("evaluations", sa.Column("metrics", postgresql.JSONB()), schema="research")
    op.execute(_NARROW)
    op.alter_column("evaluations", "metrics", nullable=False, schema="research")
    for name in ("number", "score", "scores", *_METRICS, "batch", "part", "state", "reason"):
        op.drop_column("evaluations", name, schema="research")
    op.drop_index(op.f("ix_studies_strategy_instrument_id_created_at"), "studies", schema="research")
    for column in ("best_params", "metrics", "verdict"):
        op.alter_column("studies", column, nullable=False, schema="research")
    op.alter_column("studies", "trials", server_default=None, schema="research")
    for column in ("question", "budget", "parts", "fence", "evidence", "finished_at"):
        op.drop_column("studies", column, schema="research")
