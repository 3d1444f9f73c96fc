"""`chandlery quality SYMBOL`: the score, its terms, and who took every lost point."""

from collections.abc import Sequence

import polars as pl
import typer
from rich.console import Console

from chandlery.cli.instants import parse_day
from chandlery.cli.rows import RowForm, rows_table, show_json, show_rows
from chandlery.errors import InvalidInput
from chandlery.market.timeframes import Timeframe, parse_base_timeframe
from chandlery.settings import load_settings
from chandlery.steps.bar_quality import find_bar_scores
from chandlery.steps.quality_reads import TERMS, SessionScore, SymbolQuality, find_quality, loss_facts
from chandlery.store.warehouse import open_warehouse

_COLUMNS = ("timeframe", "session", "score", *TERMS)
_BAR_COLUMNS = ("timeframe", "ts", "session", "score", "is_held", "checks", "finding_ids")
_SHOWN = 40
"""Rows of a table for people; JSON and CSV have all."""


def quality(
    symbol: str = typer.Argument(help="Symbol, for example AAPL or X:BTCUSD."),
    *,
    timeframe: str | None = typer.Option(None, help="Bars: 1m or 1d; default: both."),
    start: str | None = typer.Option(None, help="First session, ISO date."),
    end: str | None = typer.Option(None, help="End, exclusive."),
    bars: bool = typer.Option(False, "--bars", help="Also list the single bars below 1."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format; csv has one row a session."),
) -> None:
    """Show how far a symbol's bars can be trusted: its score, each session's terms, and what took every lost point.

    A table shows the sessions that lost most; JSON has all of them, with the findings and their evidence.
    """
    if bars and form is RowForm.CSV:
        raise InvalidInput("CSV has one row a session and no place for bars; ask for --format json with --bars.")
    warehouse = open_warehouse(load_settings())
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    found = find_quality(warehouse, symbol, timeframe, start=first, end=last)
    low = None
    if bars:
        chosen: Timeframe | None = None if timeframe is None else parse_base_timeframe(timeframe)
        low = find_bar_scores(warehouse, found.instrument, chosen, start=first, end=last)
    if form is RowForm.JSON:
        show_json(_facts(found, low))
    elif form is RowForm.CSV:
        show_rows([_row(item) for item in found.sessions], _COLUMNS, form)
    else:
        _show(found, low)


def _row(item: SessionScore) -> dict[str, object]:
    return {"timeframe": item.timeframe, "session": item.session, "score": item.score, **item.terms}


def _facts(found: SymbolQuality, low: pl.DataFrame | None) -> dict[str, object]:
    summary = found.summary
    facts: dict[str, object] = {
        "symbol": found.instrument.symbol,
        "partitions": summary.partitions,
        "score": summary.mean,
        "worst_decile": summary.worst_decile,
        "sessions": [
            {
                "timeframe": item.timeframe,
                "session": item.session,
                "score": item.score,
                "terms": dict(item.terms),
                "expected": item.tally.expected,
                "present": item.tally.present,
                "losses": [loss_facts(item, loss) for loss in item.losses],
            }
            for item in found.sessions
        ],
    }
    return facts if low is None else {**facts, "bars": low.to_dicts()}


def _show(found: SymbolQuality, low: pl.DataFrame | None) -> None:
    summary = found.summary
    if summary.mean is None or summary.worst_decile is None:
        typer.echo(f"{found.instrument.symbol}: nothing was expected of its {len(found.sessions):,} sessions.")
        return
    losers = sorted(
        (item for item in found.sessions if item.losses), key=lambda item: (item.score or 0.0, item.session)
    )
    typer.echo(
        f"{found.instrument.symbol}: score {summary.mean:.4f}, worst decile {summary.worst_decile:.4f}, over "
        f"{summary.partitions:,} sessions of bars; {len(losers):,} lost points"
    )
    if losers:
        rows = [_lost(item) for item in losers[:_SHOWN]]
        Console().print(rows_table(rows, ("timeframe", "session", "score", "lost", "findings")))
        _tell_rest(len(losers), "sessions")
    if low is not None:
        Console().print(rows_table(low.head(_SHOWN).to_dicts(), _BAR_COLUMNS, title=f"Bars below 1: {low.height:,}"))
        _tell_rest(low.height, "bars")


def _lost(item: SessionScore) -> dict[str, object]:
    """Return a session as one line: every loss with its points and checks, then the numbers of its findings."""
    lost = [
        f"{loss.name} {-loss.points:.3f} (check{'s' if len(loss.checks) > 1 else ''} {_joined(loss.checks)})"
        for loss in item.losses
    ]
    facts = [loss_facts(item, loss)["findings"] for loss in item.losses]
    numbers = sorted({row["finding_id"] for rows in facts if isinstance(rows, list) for row in rows})
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return {
        "timeframe": item.timeframe,
        "session": item.session,
        "score": f"{item.score:.4f}",
        "lost": ", ".join(lost),
        "findings": f"{_joined(numbers[:5])}{more}",
    }


def _joined(numbers: Sequence[int]) -> str:
    return " ".join(str(number) for number in numbers)


def _tell_rest(count: int, what: str) -> None:
    if count > _SHOWN:
        typer.echo(f"{count - _SHOWN:,} more {what}: --format json has all, --start and --end narrow it.")
