"""`chandlery calendar show|findings|exceptions`."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import typer

from chandlery.cli.instants import parse_day, required_day
from chandlery.cli.rows import RowForm, show_rows
from chandlery.clock import now
from chandlery.errors import InvalidInput
from chandlery.market.bars import check_range
from chandlery.market.calendar import ZONES
from chandlery.market.session_exceptions import ExceptionKind, SessionException
from chandlery.market.symbols import parse_symbol
from chandlery.settings import load_settings
from chandlery.steps.calendar import findings_as_rows
from chandlery.steps.session_exceptions import tell_exception, withdraw_exception
from chandlery.store.session_exceptions import StoredException, list_exceptions
from chandlery.store.sessions import sessions_between, votes_between
from chandlery.store.universe import find_record
from chandlery.store.warehouse import Warehouse, open_warehouse

app = typer.Typer(
    help="The calendar table: sessions, who disputes them, exceptions nobody can compute.", no_args_is_help=True
)
exceptions = typer.Typer(help="Halts, closures, early closes and late openings told by people.", no_args_is_help=True)
app.add_typer(exceptions, name="exceptions")

_SESSION = ("session", "open", "close", "pre_open", "post_close", "is_early", "votes")
_FINDING = ("calendar", "session", "rule", "severity", "state", "evidence")
_EXCEPTION = ("id", "calendar", "instrument_id", "kind", "starts_at", "ends_at", "reason", "evidence", "source")


class State(StrEnum):
    """Which findings to list."""

    OPEN = "open"
    EXPLAINED = "explained"
    CLOSED = "closed"
    ALL = "all"


@app.command()
def show(
    calendar: str = typer.Argument("NYSE", help="NYSE or 24/7."),
    *,
    first: str | None = typer.Option(None, "--from", help="First day; default: today."),
    last: str | None = typer.Option(None, "--to", help="Last day; default: two weeks after the first."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """Show sessions with their hours, in UTC, and the votes on them."""
    start = parse_day(first, "--from") or now().date()
    end = (parse_day(last, "--to") or start + timedelta(days=14)) + timedelta(days=1)
    _require_calendar(calendar)
    check_range(start, end)
    warehouse = open_warehouse(load_settings())
    with warehouse.read() as connection:
        votes = votes_between(connection, calendar, start, end)
    rows = sessions_between(warehouse, calendar, start, end).to_dicts()
    show_rows([{**row, "votes": votes.get(row["session"])} for row in rows], _SESSION, form)


@app.command()
def findings(
    *,
    calendar: str | None = typer.Option(None, help="Only this calendar."),
    state: State = typer.Option(State.OPEN, help="open: nobody settled it. explained: an exception or known fact did."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """List where libraries, announcements and bars disagree with the table, the newest days first."""
    chosen = None if state is State.ALL else state.value
    show_rows(findings_as_rows(open_warehouse(load_settings()), calendar=calendar, state=chosen), _FINDING, form)


@exceptions.command(name="list")
def list_(
    *,
    calendar: str | None = typer.Option(None, help="Only this calendar."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """List the exceptions by their beginning."""
    with open_warehouse(load_settings()).read() as connection:
        found = list_exceptions(connection, calendar)
    show_rows([_row(item) for item in found], _EXCEPTION, form)


@exceptions.command()
def add(
    calendar: str = typer.Argument(help="NYSE or 24/7."),
    day: str = typer.Argument(help="Day it happened, where the market is."),
    *,
    kind: ExceptionKind = typer.Option(help="What happened."),
    reason: str = typer.Option(help="Why, in a few words."),
    at: str | None = typer.Option(
        None, help="Local time HH:MM: of the early close, the late open, the beginning of a halt."
    ),
    until: str | None = typer.Option(None, help="Local time at which a halt ended; for a closure its last day."),
    symbol: str | None = typer.Option(None, help="Only this symbol was concerned; default: the whole venue."),
    evidence: str | None = typer.Option(None, help="Where this can be read."),
    source: str = typer.Option("person", help="Who says so."),
) -> None:
    """Tell the calendar what it cannot know; a closure, early close or late opening of the venue rebuilds it."""
    _require_calendar(calendar)
    starts, ends = _interval(calendar, required_day(day, "DAY"), kind, at, until)
    warehouse = open_warehouse(load_settings())
    number = None if symbol is None else _instrument(warehouse, symbol, required_day(day, "DAY"))
    exception = SessionException(calendar, kind, starts, ends, reason, number)
    told = {} if evidence is None else {"evidence": evidence}
    stored = tell_exception(warehouse, exception, source=source, evidence=told)
    typer.echo(f"exception {stored.exception_id}: {kind.value} of {calendar} from {_stamp(starts)} to {_stamp(ends)}")


@exceptions.command()
def remove(exception_id: int = typer.Argument(help="Number as `exceptions list` shows it.")) -> None:
    """Remove an exception; the table is rebuilt without it."""
    gone = withdraw_exception(open_warehouse(load_settings()), exception_id)
    typer.echo(f"removed exception {exception_id}: {gone.kind.value} of {gone.calendar} from {_stamp(gone.starts_at)}")


def _interval(
    calendar: str, day: date, kind: ExceptionKind, at: str | None, until: str | None
) -> tuple[datetime, datetime]:
    """Return the instants between which a market did not trade as usual."""
    midnight = _local(calendar, day, time(0))
    next_midnight = _local(calendar, day + timedelta(days=1), time(0))
    if kind is ExceptionKind.CLOSURE:
        if at is not None:
            raise InvalidInput(
                "A closure takes whole days; use --kind early_close or late_open with --at, or drop --at."
            )
        last = parse_day(until, "--until") or day
        return midnight, _local(calendar, last + timedelta(days=1), time(0))
    if at is None:
        raise InvalidInput(f"A {kind.value} needs its local time; add --at HH:MM.")
    moment = _local(calendar, day, _clock(at, "--at"))
    if kind is ExceptionKind.EARLY_CLOSE:
        return moment, next_midnight
    if kind is ExceptionKind.LATE_OPEN:
        return midnight, moment
    return moment, next_midnight if until is None else _local(calendar, day, _clock(until, "--until"))


def _local(calendar: str, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=ZoneInfo(ZONES[calendar])).astimezone(UTC)


def _clock(text: str, option: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
    except ValueError as error:
        raise InvalidInput(f"{option} was {text!r}; give a local time as HH:MM, for example 13:00.") from error


def _instrument(warehouse: Warehouse, symbol: str, day: date) -> int:
    with warehouse.read() as connection:
        return find_record(connection, parse_symbol(symbol), day).instrument.instrument_id


def _require_calendar(calendar: str) -> None:
    if calendar not in ZONES:
        raise InvalidInput(f"Calendar was {calendar!r}; known calendars are {', '.join(ZONES)}.")


def _row(item: StoredException) -> dict[str, object]:
    exception = item.exception
    return {
        "id": item.exception_id,
        "calendar": exception.calendar,
        "instrument_id": exception.instrument_id,
        "kind": exception.kind.value,
        "starts_at": exception.starts_at,
        "ends_at": exception.ends_at,
        "reason": exception.reason,
        "evidence": item.evidence,
        "source": item.source,
        "created_at": item.created_at,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
