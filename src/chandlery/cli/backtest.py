"""`chandlery backtest STRATEGY --bars FILE`."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import polars as pl
import typer
from rich.console import Console

from chandlery.cli.execution import chosen_execution
from chandlery.cli.frames import Form, write_frame
from chandlery.cli.rows import rows_table, show_json
from chandlery.steps.backtests import BacktestReport, BarsQuestion, choose_strategy, parse_params, run_on_file

_PERCENT = {"total_return", "cagr", "max_drawdown", "exposure", "win_rate"}
_WHOLE = {"closed_trades", "open_trades"}


class ModeChoice(StrEnum):
    """Conventions of fills and account."""

    SIMPLE = "simple"
    PINE = "pine"


class SidesChoice(StrEnum):
    """Sides that are traded."""

    LONG = "long"
    BOTH = "both"


def backtest(
    strategy: str | None = typer.Argument(None, help="Strategy of the library; left out with --definition."),
    *,
    bars: Path = typer.Option(..., help="Bars: CSV, CSV.GZ or Parquet with time,open,high,low,close,volume."),
    param: list[str] = typer.Option([], help="Parameter as name=value, repeatable; others have their default."),
    definition: Path | None = typer.Option(None, help="Definition in JSON to run instead of a named strategy."),
    mode: ModeChoice = typer.Option(ModeChoice.SIMPLE, help="simple: all-in, fractions. pine: TradingView's broker."),
    sides: SidesChoice = typer.Option(SidesChoice.LONG, help="long only, or both sides."),
    fee_bps: float = typer.Option(0.0, help="Fee per fill, basis points of its value."),
    slippage_bps: float = typer.Option(0.0, help="Slippage per fill, basis points of the price; simple mode."),
    spread_bps: float = typer.Option(0.0, help="Spread, of which a fill loses half, basis points; simple mode."),
    slippage_ticks: int = typer.Option(0, help="Slippage of market and stop orders in ticks; Pine mode."),
    capital: float | None = typer.Option(None, help="Starting money; Pine mode, default 1000000."),
    tick: float | None = typer.Option(None, help="Smallest price step; Pine mode, default 0.01."),
    qty: float | None = typer.Option(None, help="Smallest quantity step (lot); Pine mode, default 0.000001."),
    symbol: str | None = typer.Option(None, help="Symbol; default: the name of the file."),
    timeframe: str | None = typer.Option(None, help="Timeframe; default: the spacing of the bars."),
    timezone: str = typer.Option("UTC", help="Time zone of the exchange, in which hours and days are read."),
    periods_per_year: float | None = typer.Option(None, help="Bars a year; default: read off their spacing."),
    trades: Path | None = typer.Option(None, help="CSV file to write the trades to."),
    equity: Path | None = typer.Option(None, help="CSV file to write the equity curve to."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Run a strategy over the bars of a file and show its figures beside buy and hold."""
    execution = chosen_execution(
        mode.value,
        sides.value,
        {"fee_bps": fee_bps, "slippage_bps": slippage_bps, "spread_bps": spread_bps},
        slippage_ticks=slippage_ticks,
        money={"capital": capital, "tick": tick, "lot": qty},
    )
    chosen = choose_strategy(strategy, definition)
    question = BarsQuestion(
        path=bars, symbol=symbol, timeframe=timeframe, timezone=timezone, periods_per_year=periods_per_year
    )
    report = run_on_file(chosen, parse_params(chosen, param), question, execution)
    _write({trades: report.result.trades, equity: report.equity})
    if json:
        show_json(_facts(report))
    else:
        _show(report)


def _write(frames: Mapping[Path | None, pl.DataFrame]) -> None:
    for output, frame in frames.items():
        if output is not None:
            write_frame(frame, Form.CSV, output)


def _facts(report: BacktestReport) -> dict[str, object]:
    result, panel = report.result, report.panel
    execution = result.execution
    return {
        "strategy": result.strategy.name,
        "version": result.strategy.version,
        "params": dict(result.params),
        "symbol": panel.symbol,
        "timeframe": panel.timeframe,
        "timezone": panel.timezone,
        "bars": panel.bars,
        "first": report.equity["ts"][0],
        "last": report.equity["ts"][-1],
        "panel_id": panel.panel_id,
        "execution": execution,
        "periods_per_year": report.periods.per_year,
        "periods_reason": report.periods.reason,
        "figures": dict(report.figures),
        "buy_and_hold": dict(report.benchmark_figures),
        "notes": list(report.notes),
    }


def _show(report: BacktestReport) -> None:
    result, panel = report.result, report.panel
    stamps = report.equity["ts"]
    form = "%Y-%m-%d" if panel.timeframe.endswith(("d", "w", "M")) else "%Y-%m-%d %H:%MZ"
    typer.echo(
        f"{result.strategy.name} on {panel.symbol} {panel.timeframe}: {panel.bars:,} bars, "
        f"{stamps[0]:{form}} to {stamps[-1]:{form}}"
    )
    typer.echo(f"parameters: {', '.join(f'{name} {value:g}' for name, value in result.params.items()) or 'none'}")
    typer.echo(f"execution: {_say_execution(report)}")
    typer.echo(f"annualised with {report.periods.per_year:,.6g} bars a year ({report.periods.reason})")
    for note in report.notes:
        typer.echo(f"note: {note}")
    rows = [
        {"figure": name.replace("_", " "), "strategy": _text(name, value), "buy_and_hold": _text(name, other)}
        for (name, value), other in zip(report.figures.items(), report.benchmark_figures.values(), strict=True)
    ]
    Console().print(rows_table(rows, ("figure", "strategy", "buy_and_hold")))


def _say_execution(report: BacktestReport) -> str:
    execution, costs = report.result.execution, report.result.execution.costs
    parts = [f"{execution.mode} mode, {execution.sides}", f"fee {costs.fee * 10_000:g} bps"]
    if execution.mode.value == ModeChoice.PINE.value:
        parts += [f"slippage {costs.slippage_ticks} ticks", f"capital {execution.capital:,.10g}"]
        parts += [f"tick {execution.tick:.10g}", f"lot {execution.lot:.10g}"]
    else:
        parts += [f"slippage {costs.slippage * 10_000:g} bps", f"spread {costs.spread * 10_000:g} bps"]
    return ", ".join(parts)


def _text(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in _PERCENT:
        return f"{100.0 * value:,.2f} %"
    return f"{value:,}" if name in _WHOLE else f"{value:,.4f}"
