"""A study and its job as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chandlery.cli.rows import RowForm, rows_table, show_json, show_rows
from chandlery.steps.study_jobs import COLUMNS
from chandlery.steps.study_receipt import StudyReceipt

_FIGURES = ("figure", "value", "meaning")
_METRICS = ("metric", "best", "buy and hold")
_CHOICES = ("kind", "rank", "params", "scores")
_FACTS = ("strategy", "symbol", "timeframe", "method", "budget", "trials", "seed", "parts", "source", "definition_hash")
_MORE_FACTS = ("panel_id", "code_version", "run_id", "created_at", "finished_at")


def show_receipt(receipt: StudyReceipt) -> None:
    """Print what a study found."""
    stored = " (stored before)" if receipt.was_stored else ""
    typer.echo(f"study {receipt.study_id[:12]}: {receipt.trials:,} candidates, {receipt.method}{stored}")
    typer.echo(f"best: {', '.join(f'{name} {value:g}' for name, value in receipt.best.items()) or 'no parameters'}")
    _tables(receipt.metrics, receipt.evidence_rows)
    typer.echo(receipt.verdict)


def show_jobs(jobs: Sequence[Mapping[str, Any]], form: RowForm) -> None:
    """Print jobs; the table is made for a terminal of 80 columns, CSV and JSON have all columns."""
    if form is RowForm.TABLE:
        Console().print(_jobs_table(jobs))
    else:
        show_rows(jobs, COLUMNS, form)


def _jobs_table(jobs: Sequence[Mapping[str, Any]], *, title: str | None = None) -> Table:
    """Return jobs as a table; the job's id, which every other command takes, is never cut."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("job", no_wrap=True, min_width=8)
    for name in ("strategy", "symbol", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("p", "done", "rate", "eta", "best"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in jobs:
        done = f"{row['done']:,}" if row["total"] is None else f"{row['done']:,}/{row['total']:,}"
        figures = [str(row["priority"]), done, _of(row["rate"], ",.0f", "/s"), _of(row["eta_s"], ".0f", " s")]
        names = [str(row["job"]), *_subject(row), str(row["state"])]
        table.add_row(*(escape(text) for text in [*names, *figures, _of(row["best"], ".4f", "")]))
    return table


def _subject(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return strategy and symbol of a study, of a batch how many there are."""
    if row["kind"] == "study":
        return str(row["strategy"]), str(row["symbol"])
    return "batch of", f"{row['total'] or 0:,} studies"


def _of(value: float | None, form: str, unit: str) -> str:
    return "" if value is None else f"{value:{form}}{unit}"


def show_job(told: Mapping[str, Any], form: RowForm) -> None:
    """Print all that is known of a job (`show_study_job`)."""
    if form is RowForm.JSON:
        show_json(told)
        return
    job = told["job"]
    if form is RowForm.CSV:
        show_rows([job], tuple(job), form)
        return
    console = Console()
    rows = [{"": name, "value": value} for name, value in job.items() if value is not None]
    console.print(rows_table(rows, ("", "value")))
    if told["children"]:
        console.print(_jobs_table(told["children"], title="studies"))
    if told["study"] is not None:
        facts = [{"": name, "value": told["study"][name]} for name in (*_FACTS, *_MORE_FACTS)]
        console.print(rows_table(facts, ("", "value"), title=f"study {told['study']['study_id'][:12]}"))
        _tables(told["metrics"], told["evidence"])
        if told["choices"]:
            console.print(rows_table(told["choices"], _CHOICES, title="choices"))
        typer.echo(told["study"]["verdict"] or "not finished")


def _tables(metrics: Sequence[Mapping[str, object]], evidence: Sequence[Mapping[str, object]]) -> None:
    console = Console()
    for rows, columns in ((metrics, _METRICS), (evidence, _FIGURES)):
        if rows:
            console.print(rows_table([_short(row) for row in rows], columns))


def _short(row: Mapping[str, object]) -> dict[str, object]:
    return {name: f"{value:,.4g}" if isinstance(value, float) else value for name, value in row.items()}
