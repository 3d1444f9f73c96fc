"""`chandlery universe list|show|add|remove|rename|delist|status`."""

from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path

import typer
from rich.console import Console

from chandlery.cli.instants import parse_day, required_day
from chandlery.cli.rows import RowForm, rows_table, show_json, show_rows
from chandlery.cli.symbol_files import read_symbol_file
from chandlery.errors import InvalidInput
from chandlery.market.symbols import AssetClass, parse_symbol
from chandlery.settings import Settings, load_settings
from chandlery.steps.instruments import (
    InstrumentSheet,
    Wanted,
    add_instruments,
    default_wanted,
    remove_instrument,
    show_instrument,
)
from chandlery.steps.instruments import delist as delist_symbol
from chandlery.steps.instruments import rename as rename_symbol
from chandlery.steps.source import open_shared_source
from chandlery.store.backfill import BACKFILL_STATES, BackfillWindow, backfill_windows
from chandlery.store.universe import InstrumentFacts, InstrumentRecord, find_record, known_instruments
from chandlery.store.warehouse import Warehouse, open_warehouse

app = typer.Typer(
    help="Instruments: what is tracked, under which tickers, how far its bars are in.", no_args_is_help=True
)

_STATES = tuple(dict.fromkeys(BACKFILL_STATES.values()))
_LISTED = (
    "symbol",
    "asset_class",
    "calendar",
    "currency",
    "name",
    "listed_on",
    "delisted_on",
    "is_tracked",
    "former_tickers",
)
_WINDOW = (
    "symbol",
    "timeframe",
    "start",
    "end",
    "state",
    "code",
    "attempts",
    "rows_seen",
    "rows_new",
    "rows_held",
)
_STATISTICS = (
    *("timeframe", "bars", "sessions", "first_session", "last_session", "revisions", "findings", "last_ingest"),
)


@app.command(name="list")
def list_(
    *,
    asset_class: AssetClass | None = typer.Option(None, "--class", help="Only this asset class."),
    everything: bool = typer.Option(False, "--all", help="Also what is no longer tracked."),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """List the instruments that are tracked, by symbol."""
    with open_warehouse(load_settings()).read() as connection:
        records = known_instruments(connection)
    rows = [
        _facts(record)
        for record in records
        if (everything or record.is_tracked) and asset_class in {None, record.instrument.asset_class}
    ]
    show_rows(rows, _LISTED, form)


@app.command()
def show(
    symbol: str = typer.Argument(help="Ticker, for example META."),
    *,
    on: str | None = typer.Option(
        None, help="Who held the ticker on this day; default: who holds it, else held it last."
    ),
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format; csv gives the statistics."),
) -> None:
    """Show one instrument: its tickers over time, its windows by state, what was brought in."""
    sheet = show_instrument(open_warehouse(load_settings()), symbol, parse_day(on, "--on"))
    statistics = [asdict(item) for item in sheet.statistics]
    if form is RowForm.TABLE:
        _print_sheet(sheet, statistics)
    elif form is RowForm.CSV:
        show_rows(statistics, _STATISTICS, form)
    else:
        windows = [asdict(window) for window in sheet.windows]
        content = {
            "tickers": [asdict(span) for span in sheet.record.tickers],
            "windows_by_state": _by_state(sheet.windows),
        }
        show_json({**_facts(sheet.record), **content, "statistics": statistics, "windows": windows})


@app.command()
def add(
    symbols: list[str] = typer.Argument(None, help="Symbols, for example AAPL X:BTCUSD."),
    *,
    default: bool = typer.Option(False, "--default", help="The default universe of 63 stocks and crypto pairs."),
    file: Path | None = typer.Option(
        None, help="Text file: SYMBOL[,LISTED_ON[,DELISTED_ON]] on each line, # comments."
    ),
    name: str | None = typer.Option(None, help="Name, if the source is not to say."),
    currency: str | None = typer.Option(None, help="Currency of its prices; default USD."),
    listed_on: str | None = typer.Option(None, help="First day of trading."),
    delisted_on: str | None = typer.Option(None, help="First day on which it was listed no more."),
    figi: str | None = typer.Option(None, help="Composite FIGI."),
    offline: bool = typer.Option(False, "--offline", help="Do not ask the vendor for name and listing."),
) -> None:
    """Track symbols; the prefix tells the asset class, the vendor name and listing dates."""
    settings = load_settings()
    facts = InstrumentFacts(
        name=name,
        currency=currency,
        listed_on=parse_day(listed_on, "--listed-on"),
        delisted_on=parse_day(delisted_on, "--delisted-on"),
        composite_figi=figi,
    )
    wanted = _wanted(symbols or [], facts, file=file, default=default)
    warehouse = open_warehouse(settings)
    # A tape knows neither names nor listings: its dates are those of its bars.
    asks = settings.resolved_source == "massive" and not offline
    source = open_shared_source(settings, warehouse) if asks else None
    try:
        added = add_instruments(warehouse, wanted, source=source, source_name=settings.resolved_source)
    finally:
        if source is not None:
            source.close()
    for item in added:
        note = "" if item.note is None else f": {item.note}"
        typer.echo(
            f"tracked {item.record.instrument.symbol} as instrument {item.record.instrument.instrument_id}{note}"
        )
    _remind(settings)


@app.command()
def remove(symbol: str = typer.Argument(help="Symbol to track no longer.")) -> None:
    """Stop tracking a symbol; its bars stay."""
    settings = load_settings()
    record = remove_instrument(open_warehouse(settings), symbol)
    typer.echo(f"{record.instrument.symbol} is no longer tracked; its bars stay")
    _remind(settings)


@app.command()
def rename(
    old: str = typer.Argument(help="Ticker until then, for example FB."),
    new: str = typer.Argument(help="Ticker from then on, for example META."),
    *,
    on: str = typer.Option(help="First day under the new ticker."),
) -> None:
    """Let an instrument change its ticker on a day; it stays one instrument with one series."""
    settings = load_settings()
    day = required_day(on, "--on")
    record = rename_symbol(open_warehouse(settings), old, new, on=day, source_name=settings.resolved_source)
    typer.echo(f"instrument {record.instrument.instrument_id} is called {_history(record)}")


@app.command()
def delist(
    symbol: str = typer.Argument(help="Ticker of the instrument."),
    *,
    on: str = typer.Option(help="First day on which it is listed no more."),
) -> None:
    """End a listing on a day; bars and rows stay, and the ticker is free for another instrument."""
    day = required_day(on, "--on")
    record = delist_symbol(open_warehouse(load_settings()), symbol, on=day)
    typer.echo(
        f"instrument {record.instrument.instrument_id} ({record.instrument.symbol}) is listed no more from {day}"
    )


@app.command()
def status(
    symbol: str | None = typer.Argument(None, help="Only this symbol, window by window."),
    *,
    form: RowForm = typer.Option(RowForm.TABLE, "--format", help="Output format."),
) -> None:
    """Show how far the backfill is: windows by state for each symbol, or every window of one."""
    warehouse = open_warehouse(load_settings())
    if symbol is None:
        show_rows(_summary(warehouse), ("symbol", "timeframe", *_STATES, "codes", "first", "last"), form)
        return
    with warehouse.read() as connection:
        record = find_record(connection, parse_symbol(symbol))
        windows = backfill_windows(connection, record.instrument.instrument_id)
    show_rows([{"symbol": record.instrument.symbol, **asdict(window)} for window in windows], _WINDOW, form)


def _wanted(symbols: list[str], facts: InstrumentFacts, *, file: Path | None, default: bool) -> list[Wanted]:
    if facts != InstrumentFacts() and len(symbols) != 1:
        raise InvalidInput(f"Facts of one instrument were given for {len(symbols)} symbols; name exactly one.")
    wanted = [Wanted(symbol, facts) for symbol in symbols]
    wanted += read_symbol_file(file) if file is not None else []
    wanted += default_wanted() if default else ()
    if not wanted:
        raise InvalidInput("Nothing was named to be added; give symbols, --default or --file FILE.")
    return wanted


def _facts(record: InstrumentRecord) -> dict[str, object]:
    instrument = record.instrument
    return {
        "symbol": instrument.symbol,
        "instrument_id": instrument.instrument_id,
        "asset_class": instrument.asset_class.value,
        "calendar": instrument.calendar,
        **asdict(record.facts),
        "is_tracked": record.is_tracked,
        "former_tickers": " ".join(span.ticker for span in record.tickers[:-1]),
    }


def _history(record: InstrumentRecord) -> str:
    return ", ".join(f"{span.ticker} from {span.start} to {span.end or 'today'}" for span in record.tickers)


def _by_state(windows: tuple[BackfillWindow, ...]) -> dict[str, int]:
    counts = Counter(window.state for window in windows)
    return {state: counts[state] for state in _STATES}


def _summary(warehouse: Warehouse) -> list[dict[str, object]]:
    with warehouse.read() as connection:
        names = {item.instrument.instrument_id: item.instrument.symbol for item in known_instruments(connection)}
        windows = backfill_windows(connection)
    series: dict[tuple[int, str], list[BackfillWindow]] = {}
    for window in windows:
        series.setdefault((window.instrument_id, window.timeframe), []).append(window)
    rows = [
        {
            "symbol": names.get(number, str(number)),
            "timeframe": timeframe,
            **_by_state(tuple(found)),
            "codes": " ".join(sorted({window.code for window in found if window.code})),
            "first": min(window.start for window in found),
            "last": date.fromordinal(max(window.end for window in found).toordinal() - 1),
        }
        for (number, timeframe), found in series.items()
    ]
    return sorted(rows, key=lambda row: (str(row["symbol"]), str(row["timeframe"])))


def _print_sheet(sheet: InstrumentSheet, statistics: list[dict[str, object]]) -> None:
    console = Console()
    facts = [{"": name.replace("_", " "), "value": value} for name, value in _facts(sheet.record).items()]
    console.print(rows_table(facts, ("", "value"), title=sheet.record.instrument.symbol))
    console.print(
        rows_table([asdict(span) for span in sheet.record.tickers], ("ticker", "start", "end"), title="tickers")
    )
    console.print(rows_table([_by_state(sheet.windows)], _STATES, title="windows"))
    console.print(rows_table(statistics, _STATISTICS, title="bars"))


def _remind(settings: Settings) -> None:
    if settings.pipeline.symbols:
        typer.echo("CHANDLERY_PIPELINE__SYMBOLS names what the next sync_universe tracks; change it as well.", err=True)
    elif settings.resolved_source == "replay":
        typer.echo("The next sync_universe tracks what the tape lists, and nothing else.", err=True)
