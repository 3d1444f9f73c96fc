"""`chandlery coverage SYMBOL`: what there should be, what there is, and why the rest is not."""

import typer
from rich.console import Console

from chandlery.cli.instants import parse_day
from chandlery.cli.rows import RowForm, rows_table, show_json, show_rows
from chandlery.settings import load_settings
from chandlery.steps.quality_reads import Coverage, find_coverage
from chandlery.store.warehouse import open_warehouse

_COLUMNS = ("ts", "ts_end", "sessions", "missing", "reason", "finding_id")


def coverage(
    symbol: str = typer.Argument(help="Symbol, for example AAPL or X:BTCUSD."),
    *,
    timeframe: str | None = typer.Option(None, help="Bars: 1m or 1d; default: 1m where they were ever asked for."),
    start: str | None = typer.Option(None, help="First session, ISO date."),
    end: str | None = typer.Option(None, help="End, exclusive."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format; csv has the gaps alone."),
) -> None:
    """Show how many bars a symbol should have and has, why the missing ones are, and the gaps they form.

    Expected are all sessions of the calendar from the listing (or the first one asked for) to the delisting or the last
    one asked for. `docs/explanation/data.md` has the reasons.
    """
    found = find_coverage(
        open_warehouse(load_settings()),
        symbol,
        timeframe,
        start=parse_day(start, "--start"),
        end=parse_day(end, "--end"),
    )
    gaps = [
        {**{name: row[name] for name in _COLUMNS if name in row}, "missing": row["missing_count"]}
        for row in found.gaps.to_dicts()
    ]
    if form is RowForm.JSON:
        show_json(_facts(found, gaps))
    elif form is RowForm.CSV:
        show_rows(gaps, _COLUMNS, form)
    else:
        _show(found, gaps)


def _facts(found: Coverage, gaps: list[dict[str, object]]) -> dict[str, object]:
    return {
        "symbol": found.symbol,
        "timeframe": found.timeframe.value,
        "sessions": found.sessions,
        "expected": found.expected,
        "present": found.present,
        "fillers": found.fillers,
        "held": found.held,
        "missing": found.missing,
        "by_reason": dict(found.by_reason),
        "gaps": [{name: gap[name] for name in _COLUMNS} for gap in gaps],
    }


def _show(found: Coverage, gaps: list[dict[str, object]]) -> None:
    share = f"{found.present / found.expected:.2%}" if found.expected else "nothing expected"
    typer.echo(
        f"{found.symbol} {found.timeframe}: {found.sessions:,} sessions, {found.present:,} of {found.expected:,} bars "
        f"({share}), {found.fillers:,} fillers, {found.missing:,} missing"
    )
    for reason, count in found.by_reason.items():
        typer.echo(f"  {reason}: {count:,}")
    if gaps:
        Console().print(rows_table(gaps, _COLUMNS, title="Gaps"))
