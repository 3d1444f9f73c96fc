"""`chandlery revisions` and `chandlery versions`: how bars changed, and every version of one."""

from pathlib import Path

import typer

from chandlery.cli.frames import Form, check_form, write_frame
from chandlery.cli.instants import parse_instant, required_instant
from chandlery.settings import load_settings
from chandlery.steps.history import find_changes, find_versions
from chandlery.store.warehouse import open_warehouse


def revisions(
    symbol: str = typer.Argument(help="Symbol, for example AAPL or X:BTCUSD."),
    *,
    earlier: str = typer.Option(..., "--from", help="Earlier instant, ISO time; no zone means UTC."),
    later: str | None = typer.Option(None, "--to", help="Later instant; default: now."),
    timeframe: str = typer.Option("1m", help="Bars: 1m or 1d."),
    form: Form = typer.Option(Form.CSV, "--format", help="Output format; parquet needs --output."),
    output: Path | None = typer.Option(None, "--output", "-o", help="File to write instead of standard output."),
) -> None:
    """List the bars that differ between what was known at two instants: added, revised, withdrawn, and why."""
    check_form(form, output)
    warehouse = open_warehouse(load_settings())
    found = find_changes(
        warehouse,
        symbol,
        timeframe,
        earlier=required_instant(earlier, "--from"),
        later=parse_instant(later, "--to"),
    )
    write_frame(found, form, output)


def versions(
    symbol: str = typer.Argument(help="Symbol, for example AAPL or X:BTCUSD."),
    start: str = typer.Argument(help="Open of the bar, ISO time; no zone means UTC."),
    *,
    end: str | None = typer.Option(None, help="End, exclusive; default: this one bar."),
    timeframe: str = typer.Option("1m", help="Bars: 1m or 1d."),
    form: Form = typer.Option(Form.CSV, "--format", help="Output format; parquet needs --output."),
    output: Path | None = typer.Option(None, "--output", "-o", help="File to write instead of standard output."),
) -> None:
    """List every version of a bar: values, reason, source, when it was known, which requests brought it."""
    check_form(form, output)
    warehouse = open_warehouse(load_settings())
    found = find_versions(
        warehouse, symbol, timeframe, start=required_instant(start, "START"), end=parse_instant(end, "--end")
    )
    write_frame(found, form, output)
