"""`chandlery env`: the variables under which Dagster and dbt can be used by hand."""

import shlex

import typer

from chandlery.cli.children import dagster_environment
from chandlery.settings import load_settings
from chandlery.store.warehouse import open_warehouse


def env() -> None:
    """Print export lines for a shell: `eval "$(chandlery env)"`, then use dagster and dbt by hand.

    The lines contain the passwords of the local database.
    """
    settings = load_settings()
    for name, value in dagster_environment(settings, open_warehouse(settings)).items():
        typer.echo(f"export {name}={shlex.quote(value)}")
