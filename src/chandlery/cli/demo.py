"""`chandlery demo`: the whole pipeline once, over HTTP, in Dagster, on the embedded default."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from chandlery.cli.children import dagster_environment, run_to_end
from chandlery.cli.provider import open_tape
from chandlery.cli.status import status_table
from chandlery.clock import now
from chandlery.errors import BadTape
from chandlery.market.calendar import FIRST_SESSION
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings, load_settings
from chandlery.sources.tapes import Tape
from chandlery.steps.research import strategy_names
from chandlery.store.status import read_progress, read_status
from chandlery.store.warehouse import Warehouse, open_warehouse

_GAP = timedelta(days=31)
_CLASSES = (AssetClass.STOCKS, AssetClass.CRYPTO)
_MINUTE_MODELS = "tag:market"
_DAY_MODELS = "tag:days"
_RESEARCH_MODELS = 'tag:research_serving or key:"ops/publication"'


@dataclass(frozen=True, slots=True)
class Span:
    """Symbols that have bars of one timeframe in `[first, last]`, both inclusive."""

    timeframe: Timeframe
    symbols: tuple[str, ...]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Stage:
    """One Dagster run of the demo."""

    title: str
    select: str
    partitions: str | None = None
    config: str | None = None


def demo(
    *,
    tape: Path | None = typer.Option(None, help="Tape folder; default: the setting, else the bundled tape."),
) -> None:
    """Run everything once: fetch, audit, candles, quality, studies, risk report, publication.

    Bars come over HTTP from the stand-in serving a tape. With POLYGON_API_KEY set and no --tape, they come from
    the vendor: the last ten sessions of minutes and two years of days of five symbols, at the plan's pace.
    """
    settings, console, began = load_settings(), Console(stderr=True), time.perf_counter()
    with console.status("preparing the warehouse"):
        warehouse = prepare(settings)
    with _source(settings, tape) as (environment, spans):
        _run_stages(settings, warehouse, environment, _stages(spans), console)
    console.print(f"[bold]done in {time.perf_counter() - began:.0f} s[/]")
    Console().print(status_table(read_status(warehouse)))
    console.print("Next: `chandlery up` for the Dagster UI and the API, `chandlery candles AAPL 1h`, `chandlery down`.")


def prepare(settings: Settings) -> Warehouse:
    """Start the database if need be and migrate it.

    Raises:
        ConfigError: the folder or the server cannot be used as it is.
        DatabaseDown: the server does not answer.
    """
    from chandlery.store.migrate import migrate  # noqa: PLC0415 - Alembic is paid for here only

    warehouse = open_warehouse(settings)
    migrate(warehouse)
    return warehouse


def spans_of(tape: Tape) -> tuple[Span, ...]:
    """Return what to ingest of a tape: all days in one span, minutes in spans that no month without bars divides."""
    listed = [item for item in tape.symbols() if item.asset_class in _CLASSES]
    minutes: list[Span] = []
    found = [(tape.minute_range(item.symbol), item.symbol) for item in listed]
    for (first, last), symbol in sorted((span, symbol) for span, symbol in found if span is not None):
        if minutes and first - minutes[-1].last < _GAP:
            grown = (*minutes[-1].symbols, symbol)
            minutes[-1] = replace(minutes[-1], symbols=grown, last=max(last, minutes[-1].last))
        else:
            minutes.append(Span(Timeframe.M1, (symbol,), first, last))
    days = [(span, item.symbol) for item in listed if (span := tape.day_range(item.symbol)) is not None]
    spans = list(reversed(minutes))
    if days:
        names = tuple(symbol for _, symbol in days)
        first, last = min(first for (first, _), _ in days), max(last for (_, last), _ in days)
        spans.append(Span(Timeframe.D1, names, first, last))
    kept = [replace(span, first=max(span.first, FIRST_SESSION)) for span in spans if span.last >= FIRST_SESSION]
    if not kept:
        raise BadTape(f"{tape.folder} holds no stock or crypto bars since {FIRST_SESSION}; the demo needs some.")
    return tuple(kept)


@contextmanager
def _source(settings: Settings, folder: Path | None) -> Iterator[tuple[dict[str, str], tuple[Span, ...]]]:
    if folder is None and settings.resolved_source == "massive":
        yield {}, _vendor_spans(settings)
        return
    from chandlery.sources.standin.serve import running  # noqa: PLC0415 - only here a web server is paid for

    tape = open_tape(settings, folder)
    spans = spans_of(tape)
    with running(tape) as url:
        yield {"CHANDLERY_SOURCE": "replay", "CHANDLERY_PROVIDER__PORT": url.rsplit(":", 1)[1]}, spans


def _vendor_spans(settings: Settings) -> tuple[Span, ...]:
    symbols = settings.pipeline.symbols or ("AAPL", "GOOG", "IBM", "MSFT", "X:BTCUSD")
    yesterday = now().date() - timedelta(days=1)
    return (
        Span(Timeframe.M1, symbols, yesterday - timedelta(days=14), yesterday),
        Span(Timeframe.D1, symbols, yesterday - timedelta(days=730), yesterday),
    )


def _stages(spans: tuple[Span, ...]) -> list[Stage]:
    stages = [Stage("universe: instruments, calendar, splits", "group:universe")]
    for span in spans:
        minutes = span.timeframe is Timeframe.M1
        raw = f"massive__bars_{span.timeframe.value}"
        last = min(span.last, now().date() - timedelta(days=1))
        stages.append(
            Stage(
                f"{'minutes' if minutes else 'days'} of {len(span.symbols)} symbols, {span.first} to {last}",
                f'key:"raw/{raw}" or {_MINUTE_MODELS if minutes else _DAY_MODELS}',
                f"{span.first}...{last}",
                json.dumps({"ops": {f"raw__{raw}": {"config": {"symbols": list(span.symbols)}}}}),
            )
        )
    stages.append(Stage("strategy catalogue", 'key:"research/strategies"'))
    stages += [Stage(f"study of {name}", 'key:"research/studies"', name) for name in strategy_names()]
    stages.append(Stage("risk report", 'key:"research/risk_reports"'))
    stages.append(Stage("publication", _RESEARCH_MODELS))
    return stages


def _run_stages(
    settings: Settings, warehouse: Warehouse, environment: dict[str, str], stages: list[Stage], console: Console
) -> None:
    environment = {**dagster_environment(settings, warehouse), **environment}
    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("[dim]{task.fields[note]}"), console=console) as progress:
        for number, stage in enumerate(stages):
            task = progress.add_task(stage.title, total=1, note="")
            log_file = settings.home_dir / "logs" / f"demo-{number:02d}.log"
            note = _note(warehouse, number, len(stages))
            run_to_end(
                _arguments(stage),
                what=f"Stage '{stage.title}'",
                log_file=log_file,
                environment=environment,
                waiting=lambda task=task, note=note: progress.update(task, note=note()),  # type: ignore[misc]
            )
            progress.update(task, completed=1, note="")


def _arguments(stage: Stage) -> list[str]:
    arguments = ["-m", "dagster", "asset", "materialize", "-m", "orchestration.definitions", "--select", stage.select]
    if stage.partitions is not None:
        option = "--partition-range" if "..." in stage.partitions else "--partition"
        arguments += [option, stage.partitions]
    return [*arguments, "--config-json", stage.config] if stage.config is not None else arguments


def _note(warehouse: Warehouse, number: int, stages: int) -> Callable[[], str]:
    """Return a reading of the work under way: bars so far, their rate, and the share of stages done."""
    before, began = read_progress(warehouse), time.perf_counter()

    def reading() -> str:
        fetched = read_progress(warehouse).rows - before.rows
        rate = f"{fetched:,} bars, {fetched / (time.perf_counter() - began):,.0f}/s, " if fetched > 0 else ""
        return f"{rate}stage {number + 1} of {stages}"

    return reading
