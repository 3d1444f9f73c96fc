"""`chandlery repairs [show|propose|revert]`."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import typer
from rich.console import Console

from chandlery.cli.rebuild import rebuild
from chandlery.cli.rows import RowForm, rows_table, show_json, show_rows
from chandlery.cli.whoami import whoami
from chandlery.errors import InvalidInput
from chandlery.market.symbols import parse_symbol
from chandlery.settings import Settings, load_settings
from chandlery.steps.repairs import (
    RepairReceipt,
    computed_repairs,
    find_repairs,
    propose_repairs,
    read_repair,
    revert_repair,
)
from chandlery.steps.source import open_shared_source
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.repairs import STATUSES, StoredRepair
from chandlery.store.warehouse import Warehouse, open_warehouse

app = typer.Typer(help="Repairs of bars: proposed, applied, taken back; originals stay readable.")

_LISTED = (
    "repair_id",
    "finding_id",
    "symbol",
    "timeframe",
    "first_ts",
    "bars",
    "method",
    "is_exact",
    "status",
    "proposed_at",
    "decided_at",
    "decided_by",
)
_STEP = ("finding_id", "symbol", "timeframe", "rule", "outcome", "method", "repair_id", "error")
_VALUES = ("open", "high", "low", "close", "volume", "vwap", "trade_count")


@app.callback(invoke_without_command=True)
def repairs(
    context: typer.Context,
    *,
    status: str | None = typer.Option(None, help=f"Only those that are {', '.join(STATUSES)}."),
    symbol: str | None = typer.Option(None, help="Only this symbol's, for example AAPL."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format; json has bars and evidence."),
) -> None:
    """List repairs, the latest first."""
    if context.invoked_subcommand is not None:
        return
    if status is not None and status not in STATUSES:
        raise InvalidInput(f"--status was {status!r}; it is one of {', '.join(STATUSES)}.")
    wanted = None if symbol is None else parse_symbol(symbol)
    found = find_repairs(open_warehouse(load_settings()), status=status, symbol=wanted)
    show_rows([_facts(repair) for repair in found], _LISTED, form)


@app.command()
def show(
    repair_id: int = typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of the repair."),
    *,
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """Show a repair: its bars before and after, and the evidence."""
    repair = read_repair(open_warehouse(load_settings()), repair_id)
    if form is RowForm.JSON:
        show_json(_facts(repair))
        return
    rows = _compared(repair)
    columns = ("ts", "which", *_VALUES)
    if form is RowForm.CSV:
        show_rows(rows, columns, form)
        return
    facts = _facts(repair)
    console = Console()
    for name in (*_LISTED, "evidence"):
        if facts[name] is not None:
            console.print(f"{name.replace('_', ' ')}: {facts[name]}", highlight=False, markup=False)
    console.print(rows_table(rows, columns))


@app.command()
def propose(
    *,
    symbol: list[str] = typer.Option([], help="Only this symbol's findings; may be given several times."),
    finding: list[int] = typer.Option([], help="Only this finding, whatever its severity; several times as well."),
    refetch: bool = typer.Option(True, "--refetch/--no-refetch", help="Ask the source again, twice a finding."),
    apply_exact: bool = typer.Option(
        False, "--apply-exact", help="Apply at once what two equal answers or exact arithmetic prove."
    ),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """Look for a repair of every open or confirmed finding that is critical, major or of a held bar."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    methods = computed_repairs(warehouse, checked_thresholds(settings))
    source = open_shared_source(settings, warehouse) if refetch else None
    try:
        receipt = propose_repairs(
            source,
            warehouse,
            symbols=[parse_symbol(name) for name in symbol],
            findings=finding,
            methods=methods,
            auto_apply=apply_exact,
            actor=whoami(),
        )
    finally:
        if source is not None:
            source.close()
    applied = [step.repair_id for step in receipt.steps if step.outcome == "applied" and step.repair_id]
    _rebuild(settings, warehouse, *(read_repair(warehouse, repair_id) for repair_id in applied))
    show_rows([asdict(step) for step in receipt.steps], _STEP, form)
    _raise_failure(receipt)


@app.command()
def revert(
    repair_id: int = typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of an applied repair."),
    *,
    note: str | None = typer.Option(None, help="Why, for the record."),
    build: bool = typer.Option(True, "--build/--no-build", help="Build candles and scores of its sessions afterwards."),
) -> None:
    """Put back what stood before a repair; its finding is open again."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    repair = revert_repair(warehouse, repair_id, actor=whoami(), note=note)
    if build:
        _rebuild(settings, warehouse, repair)
    typer.echo(
        f"repair {repair.repair_id} reverted: {repair.symbol} {repair.timeframe} stands as before, finding "
        f"{repair.finding_id} is open again"
    )


def _rebuild(settings: Settings, warehouse: Warehouse, *repaired: StoredRepair) -> None:
    """Build what the bars of repairs touch; a UTC date is at most a day after the session's."""
    days = [instant.date() for repair in repaired for instant in repair.instants]
    if days:
        rebuild(settings, warehouse, min(days) - timedelta(days=1), max(days))


def _facts(repair: StoredRepair) -> dict[str, Any]:
    instants = repair.instants
    return {**asdict(repair), "first_ts": instants[0], "last_ts": instants[-1], "bars": len(instants)}


def _compared(repair: StoredRepair) -> list[dict[str, Any]]:
    rows = [{**row, "which": "held" if "held" in row else "before"} for row in repair.before]
    rows += [{**row, "which": "after"} for row in repair.after]
    places = {"before": 0, "held": 1, "after": 2}
    return sorted(rows, key=lambda row: (row["ts"], places[row["which"]]))


def _raise_failure(receipt: RepairReceipt) -> None:
    """Raise the first failure of the source, once everything else is told."""
    for symbol, error in receipt.failures.items():
        others = len(receipt.failures) - 1
        more = f" So did {others} more." if others else ""
        raise type(error)(
            f"{symbol} could not be asked again: {error}{more} The other findings were looked at; a rerun asks anew."
        ) from error
