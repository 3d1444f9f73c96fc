"""`chandlery export`: strategies for other platforms."""

from pathlib import Path

import typer

from chandlery.cli.backtest import SidesChoice
from chandlery.cli.execution import chosen_execution
from chandlery.cli.frames import write_file
from chandlery.steps.backtests import choose_strategy, parse_params
from chandlery.steps.exports import export_pine

app = typer.Typer(help="Strategies for other platforms.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `pine` a command of its own while it is the only one."""


@app.command()
def pine(
    strategy: str | None = typer.Argument(None, help="Strategy of the library; left out with --definition."),
    *,
    param: list[str] = typer.Option([], help="Parameter as name=value, repeatable; others have their default."),
    definition: Path | None = typer.Option(None, help="Definition in JSON to export instead of a named strategy."),
    sides: SidesChoice = typer.Option(SidesChoice.LONG, help="long only, or both sides."),
    fee_bps: float = typer.Option(0.0, help="Fee per fill, basis points of its value."),
    slippage_ticks: int = typer.Option(0, help="Slippage of market and stop orders, ticks."),
    capital: float | None = typer.Option(None, help="Starting money; default 1000000."),
    tick: float | None = typer.Option(None, help="Smallest price step; default 0.01."),
    qty: float | None = typer.Option(None, help="Smallest quantity step (lot); default 0.000001."),
    out: Path | None = typer.Option(None, "--out", "-o", help="File to write instead of standard output."),
) -> None:
    """Write a strategy with its parameters as a TradingView script in Pine v6."""
    chosen = choose_strategy(strategy, definition)
    money = {"capital": capital, "tick": tick, "lot": qty}
    execution = chosen_execution("pine", sides.value, {"fee_bps": fee_bps}, slippage_ticks=slippage_ticks, money=money)
    text = export_pine(chosen, parse_params(chosen, param), execution)
    if out is None:
        typer.echo(text, nl=not text.endswith("\n"))
    else:
        write_file(out, text.encode())
