"""`chandlery findings [show|approve|dismiss|reopen|judge]`."""

from datetime import date, timedelta
from enum import StrEnum

import orjson
import typer
from rich.console import Console

from chandlery.cli.bar_progress import shown
from chandlery.cli.instants import parse_day
from chandlery.cli.judge_report import judge_facts, judge_lines
from chandlery.cli.rows import Row, RowForm, rows_table, show_json, show_rows
from chandlery.cli.whoami import whoami
from chandlery.clock import now
from chandlery.market.calendar import CALENDAR_STARTS, ZONES
from chandlery.market.symbols import parse_symbol
from chandlery.market.timeframes import parse_base_timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.verdicts import Verdict
from chandlery.settings import load_settings
from chandlery.steps.findings import COLUMNS, find_findings, finding_row, read_finding, reopen_finding
from chandlery.steps.judging import judge_quality
from chandlery.steps.repairs import approve_finding, dismiss_finding
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.findings import FindingFilter, StoredFinding
from chandlery.store.warehouse import open_warehouse

app = typer.Typer(help="Findings: what the judges object to, with verdict and evidence; decide on them.")

_SHORT = ("id", "check", "rule", "severity", "symbol", "timeframe", "ts", "verdict", "state")
_EVENT = ("happened_at", "event", "actor", "from_state", "to_state", "detail")
_TABLE_ROWS = 100


class State(StrEnum):
    """Which findings to list."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REPAIRED = "repaired"
    DISMISSED = "dismissed"
    ANY = "any"


@app.callback(invoke_without_command=True)
def findings(
    context: typer.Context,
    *,
    symbol: str | None = typer.Option(None, help="Only of this symbol; NYSE or 24/7: about the venue."),
    timeframe: str | None = typer.Option(None, help="Only of these bars: 1m or 1d."),
    check: int | None = typer.Option(None, help="Only this check, 1 to 28 (docs/reference/rules.md)."),
    rule: str | None = typer.Option(None, help="Only this rule."),
    severity: Severity | None = typer.Option(None, help="Only this severity."),
    verdict: Verdict | None = typer.Option(None, help="Only this verdict."),
    state: State = typer.Option(State.OPEN, help="Only in this state."),
    start: str | None = typer.Option(None, "--start", help="First session, YYYY-MM-DD."),
    end: str | None = typer.Option(None, "--end", help="Session after the last one."),
    limit: int | None = typer.Option(None, min=1, help="At most so many; default: 100 in a table, else all."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format; json and csv have the evidence."),
) -> None:
    """List findings, the newest first."""
    if context.invoked_subcommand is not None:
        return
    last = parse_day(end, "--end")
    wanted = FindingFilter(
        symbol=symbol if symbol is None or symbol in ZONES else parse_symbol(symbol),
        timeframe=None if timeframe is None else parse_base_timeframe(timeframe).value,
        check=check,
        rule=rule,
        severity=None if severity is None else severity.value,
        verdict=None if verdict is None else verdict.value,
        state=None if state is State.ANY else state.value,
        first=parse_day(start, "--start"),
        last=None if last is None else last - timedelta(days=1),
    )
    most = limit or (_TABLE_ROWS if form is RowForm.TABLE else None)
    found = find_findings(open_warehouse(load_settings()), wanted, limit=most)
    show_rows([_with_text(row) for row in found] if form is RowForm.CSV else found, _columns(form), form)
    if form is RowForm.TABLE and len(found) == most:
        typer.echo(f"The newest {most}; --limit shows more, --format json all.", err=True)


@app.command()
def show(
    finding_id: int = typer.Argument(metavar="ID", help="Number of the finding."),
    *,
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """Show a finding with its evidence, and what became of it."""
    story = read_finding(open_warehouse(load_settings()), finding_id)
    row = story.as_row()
    if form is RowForm.JSON:
        show_json(row)
        return
    events = row.pop("events")
    if form is RowForm.CSV:
        show_rows([_with_text(row)], tuple(row), form)
        return
    evidence = orjson.dumps(row.pop("evidence"), option=orjson.OPT_INDENT_2).decode()
    console = Console()
    console.print(rows_table([{"": name, "value": value} for name, value in row.items()], ("", "value")))
    console.print(evidence, markup=False, highlight=False)
    console.print(rows_table(events, _EVENT, title="events"))  # type: ignore[arg-type]


@app.command()
def approve(
    finding_id: int = typer.Argument(metavar="ID", help="Number of the finding."),
    *,
    note: str | None = typer.Option(None, help="Why, for the record."),
) -> None:
    """Agree with an open finding: its proposed repair is applied, or without one it is confirmed."""
    warehouse = open_warehouse(load_settings())
    _say(approve_finding(warehouse, finding_id, actor=whoami(), note=note))


@app.command()
def dismiss(
    finding_id: int = typer.Argument(metavar="ID", help="Number of the finding."),
    *,
    note: str | None = typer.Option(None, help="Why, for the record."),
) -> None:
    """Disagree with a finding: it stays dismissed until its bar has a newer version."""
    warehouse = open_warehouse(load_settings())
    _say(dismiss_finding(warehouse, finding_id, actor=whoami(), note=note))


@app.command()
def reopen(
    finding_id: int = typer.Argument(metavar="ID", help="Number of the finding."),
    *,
    note: str | None = typer.Option(None, help="Why, for the record."),
) -> None:
    """Open a dismissed or confirmed finding again."""
    warehouse = open_warehouse(load_settings())
    _say(reopen_finding(warehouse, finding_id, actor=whoami(), note=note))


@app.command()
def judge(
    *,
    start: str | None = typer.Option(None, "--start", help="First session; default: the calendar's."),
    end: str | None = typer.Option(None, "--end", help="Session after the last one; default: tomorrow."),
    symbol: list[str] = typer.Option([], "--symbol", help="Only this symbol; may be repeated."),
    again: bool = typer.Option(False, "--again", help="Judge also what has not changed."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Judge what is published and has changed since it was judged; exit 6 if a series could not be judged."""
    settings = load_settings()
    thresholds = checked_thresholds(settings)
    warehouse, moment = open_warehouse(settings), now()
    with shown("judging ") as progress:
        receipt = judge_quality(
            warehouse,
            start=parse_day(start, "--start") or _first_day(),
            end=parse_day(end, "--end") or moment.date() + timedelta(days=1),
            now=moment,
            thresholds=thresholds,
            symbols=tuple(symbol),
            rejudge=again,
            progress=progress,
        )
    if json:
        show_json(judge_facts(receipt))
    else:
        for line in judge_lines(receipt):
            typer.echo(line)
    if receipt.failures:
        raise typer.Exit(6)


def _first_day() -> date:
    return min(CALENDAR_STARTS.values())


def _columns(form: RowForm) -> tuple[str, ...]:
    return _SHORT if form is RowForm.TABLE else COLUMNS


def _with_text(row: Row) -> Row:
    """Return the row with its evidence as JSON in one cell."""
    return {**row, "evidence": orjson.dumps(row["evidence"]).decode()}


def _say(finding: StoredFinding) -> None:
    row = finding_row(finding)
    typer.echo(f"finding {row['id']}: {row['rule']} of {row['symbol']} {row['timeframe']} is {row['state']}")
