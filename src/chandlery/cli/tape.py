"""`chandlery tape`: folders of recorded bars, brought in and looked at."""

from pathlib import Path

import orjson
import typer
from rich.console import Console
from rich.table import Table

from chandlery.cli.bar_progress import shown
from chandlery.cli.demo import prepare
from chandlery.cli.ingest_report import ingest_facts, ingest_lines
from chandlery.cli.judge_report import judge_facts, judge_lines
from chandlery.cli.rows import RowForm, show_rows
from chandlery.clock import now
from chandlery.settings import load_settings
from chandlery.sources import open_source
from chandlery.sources.tapes import Tape
from chandlery.steps.tapes import ingest_tape
from chandlery.steps.thresholds import checked_thresholds

app = typer.Typer(help="Tapes: folders of recorded bars.", no_args_is_help=True)


@app.command()
def ingest(
    folder: Path = typer.Argument(help="Tape folder; docs/how-to/use-your-own-tape.md has the layout."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Bring in a tape: bars, splits and dividends over HTTP from the stand-in, audited, judged, rolled up.

    Repeating it writes nothing new; another tape adds to what is there.
    """
    from chandlery.sources.standin.serve import running  # noqa: PLC0415 - only here a web server is paid for

    settings = load_settings().model_copy(update={"source": "replay"})
    opened, thresholds = Tape.open(folder), checked_thresholds(settings)
    warehouse = prepare(settings)
    with running(opened) as url, shown(f"{folder.name} ") as progress:
        source = open_source(settings, replay_url=url)
        try:
            receipt = ingest_tape(
                opened,
                source,
                warehouse,
                target=settings.home_dir / "dbt",
                now=now(),
                thresholds=thresholds,
                progress=progress,
            )
        finally:
            source.close()
    if json:
        actions = {"accepted": receipt.actions.accepted, "suspected": receipt.actions.suspected}
        facts = {
            "symbols": receipt.symbols,
            "bars": ingest_facts(receipt.bars),
            "actions": actions,
            "quality": judge_facts(receipt.quality),
        }
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(f"symbols: {' '.join(receipt.symbols)}")
    for line in ingest_lines(receipt.bars):
        typer.echo(line)
    typer.echo(f"actions: {receipt.actions.accepted} accepted, {receipt.actions.suspected} suspected")
    for line in judge_lines(receipt.quality):
        typer.echo(line)
    typer.echo("Next: `chandlery candles SYMBOL 1d --adjusted all`, `chandlery actions SYMBOL`.")


@app.command()
def show(folder: Path = typer.Argument(help="Tape folder.")) -> None:
    """List what a tape holds."""
    table = Table("symbol", "class", "minutes", "days")
    opened = Tape.open(folder)
    for item in opened.symbols():
        spans = (opened.minute_range(item.symbol), opened.day_range(item.symbol))
        texts = ["-" if span is None else f"{span[0]} to {span[1]}" for span in spans]
        table.add_row(item.symbol, item.asset_class.value, *texts)
    Console().print(table)


@app.command()
def audit(
    folder: Path = typer.Argument(help="Tape folder."),
    *,
    form: RowForm = typer.Option(
        RowForm.TABLE, "--format", help="table (counts by rule), json or csv (every finding)."
    ),
) -> None:
    """Judge a tape by every gate and series rule, without a database: what is wrong with these bars?"""
    # Judging loads the rules, which other commands of this file need not.
    from chandlery.steps.tape_audit import audit_tape  # noqa: PLC0415

    found = audit_tape(folder, overrides=checked_thresholds(load_settings()))
    for text in found.failed:
        typer.echo(f"rule raised: {text}", err=True)
    if form is not RowForm.TABLE:
        rows = [{**row, "evidence": orjson.loads(row["evidence"])} for row in found.findings.to_dicts()]
        show_rows(rows, found.findings.columns, form)
        return
    counts = found.by_rule()
    show_rows(counts.to_dicts(), counts.columns, form)
    typer.echo(f"{found.findings.height:,} findings in {sum(found.bars.values()):,} bars of {len(found.bars)} files")
