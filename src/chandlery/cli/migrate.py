"""`chandlery migrate`."""

import typer

from chandlery.settings import load_settings
from chandlery.store.warehouse import open_warehouse


def migrate() -> None:
    """Bring the warehouse to this version: database, roles, schemas, tables. Safe to repeat."""
    # Imported here: only this command and those that prepare a run pay for Alembic.
    from chandlery.store.migrate import migrate as run  # noqa: PLC0415

    settings = load_settings()
    typer.echo(f"warehouse at revision {run(open_warehouse(settings))}")
