"""The program, and the one place where an error becomes a line on standard error and an exit status."""

import logging
import sys

import typer
from rich.console import Console
from rich.markup import escape

from chandlery import __version__, log
from chandlery.cli.command_table import CommandTable
from chandlery.errors import ChandleryError
from chandlery.settings import load_settings

_EPILOG = (
    "Exit status: 0 done, 1 defect, 2 settings or arguments, 3 not found, 4 source, 5 database, 6 audit, "
    "7 research, 8 limit breached."
)

app = typer.Typer(
    name="chandlery",
    cls=CommandTable,
    help="Market data and quant research: audited bars, candles, quality, studies, risk reports, one read API.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
