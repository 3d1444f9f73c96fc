"""The command table, and the one place where an error becomes a line on standard error and an exit status."""

import logging
import sys

import typer
from rich.console import Console
from rich.markup import escape

from chandlery import __version__, log
from chandlery.cli import (
    actions,
    backfill,
    calendar,
    candles,
    coverage,
    demo,
    doctor,
    environment,
    findings,
    history,
    keys,
    migrate,
    provider,
    quality,
    repairs,
    status,
    tape,
    universe,
    up,
)
from chandlery.errors import ChandleryError
from chandlery.settings import load_settings

_EPILOG = (
    "Exit status: 0 done, 1 defect, 2 settings or arguments, 3 not found, 4 source, 5 database, 6 audit, "
    "7 research, 8 limit breached."
)

app = typer.Typer(
    name="chandlery",
    help="Market data and quant research: audited bars, candles, quality, studies, risk reports, one read API.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (demo.demo, up.up, up.down, status.status, doctor.doctor, provider.provider, migrate.migrate):
    app.command()(command)
app.command(name="env")(environment.env)
app.command()(candles.candles)
app.command()(coverage.coverage)
app.command()(quality.quality)
app.command()(actions.actions)
app.command()(backfill.backfill)
app.command()(history.revisions)
app.command()(history.versions)
app.add_typer(keys.app, name="keys")
app.add_typer(universe.app, name="universe")
app.add_typer(calendar.app, name="calendar")
app.add_typer(tape.app, name="tape")
app.add_typer(findings.app, name="findings")
app.add_typer(repairs.app, name="repairs")


@app.callback(invoke_without_command=True)
def _root(
    *,
    version: bool = typer.Option(default=False, help="Print the version and exit.", show_default=False),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Show log lines on standard error."),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    level = logging.INFO if verbose else logging.WARNING
    log.configure(load_settings().log_style, level=level)


def main() -> None:
    """Run the command line; an error of ours is one message and its exit status, never a stack trace."""
    try:
        app()
    except ChandleryError as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]{error.code}[/]: {escape(str(error))}", highlight=False)
        sys.exit(error.exit_code)
