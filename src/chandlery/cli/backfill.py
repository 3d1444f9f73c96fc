"""`chandlery backfill`: bring in the bars of a range, window by window, and build candles on them."""

from datetime import date, timedelta

import orjson
import typer
from rich.console import Console

from chandlery.cli.bar_progress import shown
from chandlery.cli.demo import prepare
from chandlery.cli.ingest_report import ingest_facts, ingest_lines
from chandlery.cli.instants import required_day
from chandlery.clock import now
from chandlery.errors import InvalidInput
from chandlery.market.symbols import parse_symbol
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe, parse_base_timeframe
from chandlery.settings import Settings, load_settings
from chandlery.steps.calendar import build_calendar
from chandlery.steps.candle_judging import judge_candles
from chandlery.steps.ingest import Choices, Via, ingest
from chandlery.steps.ingest_receipt import IngestReceipt
from chandlery.steps.judging import judge_quality
from chandlery.steps.models import build_market_models
from chandlery.steps.source import open_shared_source
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.sessions import last_session
from chandlery.store.warehouse import Warehouse


def backfill(
    symbols: list[str] = typer.Argument(None, help="Symbols; default: all tracked ones."),
    *,
    start: str = typer.Option(..., "--from", help="First session, ISO date."),
    end: str | None = typer.Option(None, "--to", help="Last session, inclusive; default: yesterday."),
    timeframe: list[str] = typer.Option(list(BASE_TIMEFRAMES), help="Bars: 1m, 1d; may be given twice."),
    via: Via = typer.Option(
        Via.AGGREGATES,
        help="aggregates: by symbol and window. grouped: 1d of all stocks by one call a session. "
        "flat_files: the vendor's csv.gz tree.",
    ),
    refetch: bool = typer.Option(False, "--refetch", help="Ask again for sessions that finished windows cover."),
    candles: bool = typer.Option(True, help="Judge the range afterwards, build its candles and quality scores."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Bring in bars of a range of sessions; begun again after a kill, it goes on with what is missing."""
    span = _span(start, end)
    names = timeframe if via is not Via.GROUPED else [Timeframe.D1.value]
    chosen = dict.fromkeys((parse_symbol(symbol) for symbol in symbols or ()), span)
    wanted = {
        name: Choices(parse_base_timeframe(name), *span, via=via, spans=chosen, only_missing=not refetch)
        for name in names
    }
    settings = load_settings()
    thresholds = checked_thresholds(settings)
    warehouse = prepare(settings)
    _reach(warehouse, span[1])
    receipts = _ingest(settings, warehouse, wanted)
    if candles:
        with Console(stderr=True).status("judging, building candles and scores"):
            judge_quality(warehouse, start=span[0], end=span[1], now=now(), thresholds=thresholds)
            target = settings.home_dir / "dbt"
            build_market_models(warehouse, start=span[0], end=span[1], target=target, thresholds=thresholds)
            judge_candles(warehouse, span[0], span[1])
    if json:
        typer.echo(orjson.dumps(ingest_facts(receipts), option=orjson.OPT_INDENT_2).decode())
        return
    for line in ingest_lines(receipts):
        typer.echo(line)


def _span(start: str, end: str | None) -> tuple[date, date]:
    """Return the sessions asked for as `[start, end)`; what lies in the future is left out."""
    today = now().date()
    first = required_day(start, "--from")
    last = today - timedelta(days=1) if end is None else min(required_day(end, "--to"), today)
    if last < first:
        raise InvalidInput(
            f"--from was {first} and the last session is {last} ({'yesterday' if end is None else f'--to {end}'}); it "
            "is inclusive and may not come before the first."
        )
    return first, last + timedelta(days=1)


def _reach(warehouse: Warehouse, end: date) -> None:
    """Extend the calendar to `end` if it ends before: windows are planned from it, so no session may be missing."""
    with warehouse.read() as connection:
        known = last_session(connection)
    if known is None or known < end - timedelta(days=1):
        with Console(stderr=True).status("building the calendar"):
            build_calendar(warehouse, end=end + timedelta(days=366))


def _ingest(settings: Settings, warehouse: Warehouse, wanted: dict[str, Choices]) -> dict[str, IngestReceipt]:
    source = open_shared_source(settings, warehouse)
    try:
        receipts: dict[str, IngestReceipt] = {}
        for name, choices in wanted.items():
            with shown(f"{name} bars") as progress:
                receipts[name] = ingest(source, warehouse, choices, settings=settings, progress=progress)
        return receipts
    finally:
        source.close()
