"""`chandlery status`."""

from dataclasses import asdict

import orjson
import typer
from rich.console import Console
from rich.table import Table

from chandlery.settings import load_settings
from chandlery.store.status import Status, read_status
from chandlery.store.warehouse import open_warehouse


def status(*, json: bool = typer.Option(False, "--json", help="Print one JSON object.")) -> None:
    """Show what the warehouse holds: bars, candles, quality, studies, risk reports."""
    settings = load_settings()
    found = read_status(open_warehouse(settings))
    if json:
        typer.echo(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2).decode())
        return
    Console().print(status_table(found))


def status_table(found: Status) -> Table:
    """Return the counts as a table for people."""
    table = Table(title="chandlery", show_header=False, title_justify="left")
    bars = "   ".join(f"{name} {count:,}" for name, count in found.bars.items())
    candles = "   ".join(f"{name} {count:,}" for name, count in found.candles.items())
    score = "-" if found.quality.mean_score is None else f"{found.quality.mean_score:.4f}"
    for name, text in (
        ("symbols", f"{found.symbols}"),
        ("bars", bars),
        ("sources", ", ".join(found.sources) or "-"),
        ("candles", candles),
        ("quality", f"{found.quality.partitions:,} partitions, mean score {score}"),
        ("findings", f"{found.findings:,} open, {found.held:,} bars held"),
        ("studies", f"{found.studies}"),
        ("risk reports", f"{found.risk_reports}"),
    ):
        table.add_row(name, text)
    return table
