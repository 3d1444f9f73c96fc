"""Alembic environment: our three schemas only, version table in `ops`, connection from the caller."""

from collections.abc import MutableMapping
from typing import Literal

from alembic import context

from chandlery.store.tables import OWNED_SCHEMAS, metadata

_Kind = Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint", "check_constraint"]
_Parent = Literal["schema_name", "table_name", "schema_qualified_table_name"]


def _ours(name: str | None, kind: _Kind, _parents: MutableMapping[_Parent, str | None]) -> bool:
    # Without this, autogenerate proposes to drop every table of dbt, Dagster and Optuna.
    return kind != "schema" or name in OWNED_SCHEMAS


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    include_name=_ours,
    version_table="alembic_version",
    version_table_schema="ops",
)
with context.begin_transaction():
    context.run_migrations()
