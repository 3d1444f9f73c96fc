"""`chandlery actions SYMBOL`."""

import csv
import io
from datetime import UTC, datetime
from enum import StrEnum

import orjson
import typer
from rich.console import Console
from rich.table import Table

from chandlery.cli.instants import parse_instant
from chandlery.market.actions import Action, ActionKind
from chandlery.settings import load_settings
from chandlery.steps.actions import find_actions
from chandlery.store.warehouse import open_warehouse


class Form(StrEnum):
    """Output formats."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class KindChoice(StrEnum):
    """Kinds of actions as one types them."""

    SPLIT = "split"
    DIVIDEND = "dividend"
    TICKER = "ticker"


_KINDS = {
    KindChoice.SPLIT: ActionKind.SPLIT,
    KindChoice.DIVIDEND: ActionKind.CASH_DIVIDEND,
    KindChoice.TICKER: ActionKind.TICKER_CHANGE,
}
_COLUMNS = (
    "symbol",
    "ex_date",
    "kind",
    "ratio",
    "split_from",
    "split_to",
    "cash",
    "currency",
    "ticker",
    "status",
    "reason",
    "evidence",
    "source",
    "known_from",
    "known_to",
)
_SHORT = ("ex_date", "kind", "what", "status", "reason", "source", "known_from", "known_to")


def actions(
    symbol: str = typer.Argument(help="Symbol, for example AAPL."),
    *,
    kind: KindChoice | None = typer.Option(None, help="Only this kind."),
    as_of: str | None = typer.Option(None, help="As known at this instant, ISO date or time; no zone means UTC."),
    form: Form = typer.Option(Form.TABLE, "--format", help="Output format; json and csv carry all the evidence."),
) -> None:
    """List splits, dividends and ticker changes of a symbol: which adjust prices, which are doubted, and why.

    Only accepted ones adjust. A split is accepted where raw prices jump by its ratio.
    """
    chosen = None if kind is None else _KINDS[kind]
    found = find_actions(open_warehouse(load_settings()), symbol, kind=chosen, as_of=parse_instant(as_of, "--as-of"))
    facts = [_facts(symbol.strip().upper(), action) for action in found]
    if form is Form.JSON:
        typer.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())
    elif form is Form.CSV:
        typer.echo(_csv(facts), nl=False)
    else:
        Console().print(_table(facts))


def _facts(symbol: str, action: Action) -> dict[str, object]:
    is_split = action.kind is ActionKind.SPLIT
    values = (
        symbol,
        action.ex_date.isoformat(),
        action.kind.value,
        f"{action.split_to}:{action.split_from}" if is_split else None,
        action.split_from,
        action.split_to,
        None if action.cash is None else float(action.cash),
        action.currency,
        action.evidence.get("ticker"),
        action.status.value,
        action.evidence.get("reason"),
        dict(action.evidence),
        action.source,
        _stamp(action.known_from),
        _stamp(action.known_to),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _csv(facts: list[dict[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "evidence": orjson.dumps(row["evidence"]).decode()} for row in facts)
    return buffer.getvalue()


def _table(facts: list[dict[str, object]]) -> Table:
    table = Table(*(name.replace("_", " ") for name in _SHORT))
    for row in facts:
        cash = None if row["cash"] is None else f"{row['cash']:g} {row['currency']}"
        shown = {**row, "what": row["ratio"] or cash or row["ticker"]}
        table.add_row(*("" if shown[name] is None else str(shown[name]) for name in _SHORT))
    return table


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
