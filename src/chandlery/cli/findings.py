"""`chandlery findings [show|approve|dismiss|reopen|judge]`."""

from datetime import date, timedelta
from enum import StrEnum
from typing import cast

import orjson
import typer
from rich.console import Console

from chandlery.cli.bar_progress import shown
from chandlery.cli.instants import parse_day
from chandlery.cli.judge_report import judge_facts, judge_lines
from chandlery.cli.rebuild import rebuild
from chandlery.cli.rows import Row, RowForm, rows_table, show_json, show_rows
from chandlery.cli.whoami import whoami
from chandlery.clock import now
from chandlery.market.bars import check_range
from chandlery.market.calendar import CALENDAR_STARTS, ZONES
from chandlery.market.symbols import parse_symbol
from chandlery.market.timeframes import parse_base_timeframe
from chandlery.quality.findings import Severity
from chandlery.quality.verdicts import Verdict
from chandlery.settings import Settings, load_settings
from chandlery.steps.findings import COLUMNS, find_findings, finding_row, read_finding, reopen_finding
from chandlery.steps.judging import judge_quality
from chandlery.steps.quality_board import require_rule
from chandlery.steps.repairs import approve_finding, dismiss_finding
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.findings import FindingFilter, StoredFinding
from chandlery.store.recorded_findings import Recorded
from chandlery.store.warehouse import Warehouse, open_warehouse

app = typer.Typer(help="Findings: what the judges object to, with verdict and evidence; decide on them.")

_SHORT = ("id", "rule", "severity", "symbol", "timeframe", "session", "verdict")
_EVENT = ("happened_at", "event", "actor", "from_state", "to_state", "detail")
_TABLE_ROWS = 100
_LARGEST_ID = 2**63 - 1
_ID = typer.Argument(metavar="ID", min=1, max=_LARGEST_ID, help="Number of the finding.")
_NOTE = typer.Option(None, help="Why, for the record.")
_BUILD = typer.Option(True, "--build/--no-build", help="Build the scores of its sessions afterwards.")


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
    check: int | None = typer.Option(None, min=1, max=28, help="Only this check, 1 to 28 (docs/reference/rules.md)."),
    rule: str | None = typer.Option(None, help="Only this rule."),
    severity: Severity | None = typer.Option(None, help="Only this severity."),
    verdict: Verdict | None = typer.Option(None, help="Only this verdict."),
    state: State = typer.Option(State.OPEN, help="Only in this state."),
    start: str | None = typer.Option(None, "--start", help="First session, YYYY-MM-DD."),
    end: str | None = typer.Option(None, "--end", help="Session after the last one."),
    limit: int | None = typer.Option(
        None, min=1, max=1_000_000, help="At most so many; default: 100 in a table, else all."
    ),
    every: bool = typer.Option(False, "--all", help="In a table also what costs nothing: true moves, fillers."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format; json and csv have all of it."),
) -> None:
    """List findings, the newest first."""
    if context.invoked_subcommand is not None:
        return
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    _require_sense(rule, first, last)
    wanted = FindingFilter(
        symbol=symbol if symbol is None or symbol in ZONES else parse_symbol(symbol),
        timeframe=None if timeframe is None else parse_base_timeframe(timeframe).value,
        check=check,
        rule=rule,
        severity=None if severity is None else severity.value,
        verdict=None if verdict is None else verdict.value,
        state=None if state is State.ANY else state.value,
        first=first,
        only_costly=form is RowForm.TABLE and not every and verdict is None and rule is None,
        last=None if last is None else last - timedelta(days=1),
    )
    most = limit or (_TABLE_ROWS if form is RowForm.TABLE else None)
    found = find_findings(open_warehouse(load_settings()), wanted, limit=most)
    show_rows([_with_text(row) for row in found] if form is RowForm.CSV else found, _columns(form), form)
    if form is RowForm.TABLE and len(found) == most:
        typer.echo(f"The newest {most}; --limit shows more, --format json all.", err=True)


@app.command()
def show(
    finding_id: int = _ID,
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
    console.print(rows_table(cast("list[Row]", events), _EVENT, title="events"))


@app.command()
def approve(
    finding_id: int = _ID,
    *,
    note: str | None = _NOTE,
    build: bool = _BUILD,
) -> None:
    """Agree with an open finding: its proposed repair is applied, or without one it is confirmed."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    _say(settings, warehouse, approve_finding(warehouse, finding_id, actor=whoami(), note=note), build=build)


@app.command()
def dismiss(
    finding_id: int = _ID,
    *,
    note: str | None = _NOTE,
    build: bool = _BUILD,
) -> None:
    """Disagree with a finding: it stays dismissed until its bar has a newer version."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    _say(settings, warehouse, dismiss_finding(warehouse, finding_id, actor=whoami(), note=note), build=build)


@app.command()
def reopen(
    finding_id: int = _ID,
    *,
    note: str | None = _NOTE,
    build: bool = _BUILD,
) -> None:
    """Open a dismissed or confirmed finding again."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    _say(settings, warehouse, reopen_finding(warehouse, finding_id, actor=whoami(), note=note), build=build)


@app.command()
def judge(
    *,
    start: str | None = typer.Option(None, "--start", help="First session; default: the calendar's."),
    end: str | None = typer.Option(None, "--end", help="Session after the last one; default: tomorrow."),
    symbol: list[str] = typer.Option([], "--symbol", help="Only this symbol; may be repeated."),
    again: bool = typer.Option(False, "--again", help="Judge also what has not changed."),
    build: bool = typer.Option(True, "--build/--no-build", help="Build the scores afterwards if a finding changed."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Judge what is published and has changed since it was judged; exit 6 if a series could not be judged."""
    settings = load_settings()
    thresholds = checked_thresholds(settings)
    warehouse, moment = open_warehouse(settings), now()
    first = parse_day(start, "--start") or _first_day()
    after = parse_day(end, "--end") or moment.date() + timedelta(days=1)
    with shown("judging ") as progress:
        receipt = judge_quality(
            warehouse,
            start=first,
            end=after,
            now=moment,
            thresholds=thresholds,
            symbols=tuple(symbol),
            rejudge=again,
            progress=progress,
        )
    if build and receipt.recorded != Recorded():
        rebuild(settings, warehouse, first, after - timedelta(days=1))
    if json:
        show_json(judge_facts(receipt))
    else:
        for line in judge_lines(receipt):
            typer.echo(line)
    if receipt.failures:
        raise typer.Exit(6)


def _require_sense(rule: str | None, first: date | None, end: date | None) -> None:
    if first is not None and end is not None:
        check_range(first, end)
    if rule is not None:
        require_rule(rule)


def _first_day() -> date:
    return min(CALENDAR_STARTS.values())


def _columns(form: RowForm) -> tuple[str, ...]:
    return _SHORT if form is RowForm.TABLE else COLUMNS


def _with_text(row: Row) -> Row:
    """Return the row with its evidence as JSON in one cell."""
    return {**row, "evidence": orjson.dumps(row["evidence"]).decode()}


def _say(settings: Settings, warehouse: Warehouse, finding: StoredFinding, *, build: bool) -> None:
    if build:
        rebuild(settings, warehouse, finding.session, finding.last_session)
    row = finding_row(finding)
    typer.echo(f"finding {row['id']}: {row['rule']} of {row['symbol']} {row['timeframe']} is {row['state']}")
