"""`chandlery export`: strategies for other platforms, and studies as files."""

import re
from enum import StrEnum
from pathlib import Path

import typer

from chandlery.cli.backtest import SidesChoice
from chandlery.cli.execution import chosen_execution
from chandlery.cli.frames import write_file
from chandlery.cli.rows import RowForm, show_rows
from chandlery.errors import InvalidInput
from chandlery.steps.backtests import choose_strategy, parse_params
from chandlery.steps.exports import export_pine
from chandlery.strategies import catalogue

app = typer.Typer(help="Strategies for other platforms; studies as files.", no_args_is_help=True)

_STUDY_ID = re.compile(r"[0-9a-f]{4,32}")
_COLUMNS = ("export_id", "study_id", "kind", "file_name", "size", "expires_at", "removed_at")
_STUDY = typer.Argument(help="Id of a finished study, or the beginning of it.")
_OUT = typer.Option(None, "--out", "-o", help="File to write as well; the stored one stays.")


class Chosen(StrEnum):
    """Which candidate of a study."""

    IN_SAMPLE = "in_sample"
    PLATEAU = "plateau"
    WALK_FORWARD = "walk_forward"


class What(StrEnum):
    """Which table of a study."""

    TRADES = "trades"
    EVALUATIONS = "evaluations"


@app.command()
def pine(
    strategy: str | None = typer.Argument(
        None, help="Strategy of the library, or id of a study (or its beginning); left out with --definition."
    ),
    *,
    param: list[str] = typer.Option([], help="Parameter as name=value, repeatable; others have their default."),
    definition: Path | None = typer.Option(None, help="Definition in JSON to export instead of a named strategy."),
    choice: Chosen | None = typer.Option(None, help="Of a study: whose parameters; default in_sample."),
    sides: SidesChoice = typer.Option(SidesChoice.LONG, help="long only, or both sides."),
    fee_bps: float = typer.Option(0.0, help="Fee per fill, basis points of its value."),
    slippage_ticks: int = typer.Option(0, help="Slippage of market and stop orders, ticks."),
    capital: float | None = typer.Option(None, help="Starting money; default 1000000."),
    tick: float | None = typer.Option(None, help="Smallest price step; default 0.01."),
    qty: float | None = typer.Option(None, help="Smallest quantity step (lot); default 0.000001."),
    out: Path | None = typer.Option(None, "--out", "-o", help="File to write instead of standard output."),
) -> None:
    """Write a strategy with its parameters, or the chosen ones of a study, as a TradingView script in Pine v6.

    A study brings its own parameters, sides and costs; its script is stored, and its path is printed.
    """
    if definition is None and _is_study(strategy):
        given = [name for name, value in (("--param", param), ("--sides", sides.value != "long")) if value]
        given += [name for name, value in (("--fee-bps", fee_bps), ("--slippage-ticks", slippage_ticks)) if value]
        given += [name for name, value in (("--capital", capital), ("--tick", tick), ("--qty", qty)) if value]
        if given:
            raise InvalidInput(f"{', '.join(given)} was given with a study, which brings its own; leave it out.")
        _make(str(strategy), "pine", out, choice=choice or Chosen.IN_SAMPLE)
        return
    if choice is not None:
        raise InvalidInput(f"--choice {choice} was given with a strategy; only a study has choices.")
    chosen = choose_strategy(strategy, definition)
    money = {"capital": capital, "tick": tick, "lot": qty}
    execution = chosen_execution("pine", sides.value, {"fee_bps": fee_bps}, slippage_ticks=slippage_ticks, money=money)
    text = export_pine(chosen, parse_params(chosen, param), execution)
    if out is None:
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        write_file(out, text.encode())


@app.command()
def pdf(study: str = _STUDY, *, out: Path | None = _OUT) -> None:
    """Make the report of a study: verdict, growth, parameters, walk-forward, tests of luck, trades, definition."""
    _make(study, "pdf", out)


@app.command()
def json(study: str = _STUDY, *, out: Path | None = _OUT) -> None:
    """Write the report of a study as one JSON document: all that the PDF shows, as numbers."""
    _make(study, "json", out)


@app.command()
def csv(
    study: str = _STUDY,
    *,
    what: What = typer.Option(What.TRADES, help="trades of the best in sample, or every evaluation."),
    out: Path | None = _OUT,
) -> None:
    """Write the trades or the evaluations of a study as CSV."""
    _make(study, f"{what.value}_csv", out)


@app.command()
def parquet(
    study: str = _STUDY,
    *,
    what: What = typer.Option(What.TRADES, help="trades of the best in sample, or every evaluation."),
    out: Path | None = _OUT,
) -> None:
    """Write the trades or the evaluations of a study as Parquet."""
    _make(study, f"{what.value}_parquet", out)


@app.command(name="list")
def list_(
    study: str | None = typer.Argument(None, help="Id of a study, or its beginning; without it the latest studies."),
    *,
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="table, json or csv."),
) -> None:
    """List what was exported: ids, files, sizes, until when."""
    from chandlery.cli.study_files import stored_rows  # noqa: PLC0415 - a strategy's script needs no database

    show_rows(stored_rows(study), _COLUMNS, form)


@app.command()
def clean() -> None:
    """Remove exports whose time is over, and files that no export knows."""
    from chandlery.cli.study_files import clean_store  # noqa: PLC0415 - a strategy's script needs no database

    typer.echo(clean_store())


def _is_study(name: str | None) -> bool:
    """Return whether a name is meant as a study: it looks like an id and no strategy has it."""
    return name is not None and _STUDY_ID.fullmatch(name) is not None and name not in catalogue()


def _make(study: str, kind: str, out: Path | None, *, choice: Chosen = Chosen.IN_SAMPLE) -> None:
    from chandlery.cli.study_files import stored_file  # noqa: PLC0415 - a strategy's script needs no database

    path = stored_file(study, kind, choice=choice.value)
    if out is not None:
        write_file(out, path.read_bytes())
    typer.echo(out or path)
