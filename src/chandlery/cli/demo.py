"""`chandlery demo`: the whole pipeline once, over HTTP, in Dagster, on the embedded default."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter

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
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.reset import empty_replayed
from chandlery.store.status import read_progress, read_status
from chandlery.store.warehouse import Warehouse, open_warehouse
from chandlery.strategies import all_strategies

_GAP = timedelta(days=31)
_CLASSES = (AssetClass.STOCKS, AssetClass.CRYPTO)
_STUDIED = ("rsi2_connors", "sma_cross")
"""First and last strategy, by name, that the demo studies: four well-known ones, to be done in seconds."""

_UNIVERSE = 'group:universe or tag:views or key:"research/strategies"'
_JUDGED = 'key:"ops/corporate_actions" or key:"ops/findings"'
"""Judged after bars have come: prices prove or refute what a source records, then the rules judge the bars."""
_ALL_MODELS = "tag:market"
_DAY_MODELS = "tag:days"
_REPORTS = 'key:"research/risk_reports" or tag:research_serving or key:"ops/publication"'


Range = tuple[date, date]
"""First and last session, both inclusive."""


@dataclass(frozen=True, slots=True)
class Span:
    """Symbols ingested in one run, each with the sessions it has bars of."""

    timeframe: Timeframe
    ranges: dict[str, Range]

    @property
    def first(self) -> date:
        """First session of any symbol."""
        return min(first for first, _ in self.ranges.values())

    @property
    def last(self) -> date:
        """Last session of any symbol."""
        return max(last for _, last in self.ranges.values())


@dataclass(frozen=True, slots=True)
class Stage:
    """One Dagster run of the demo; the stage of studies is a run each."""

    title: str
    select: str
    partitions: str | None = None
    config: str | None = None
    bars: int | None = None
    studied: tuple[str, ...] = ()
    """Universe and strategies of a stage of studies, which is a run each; else empty."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the demo's bars come from: the children's variables, what to ingest, how many bars it is, if known."""

    environment: dict[str, str]
    spans: tuple[Span, ...]
    name: str
    count: Callable[[Span], int | None]


def demo(
    *,
    tape: Path | None = typer.Option(None, help="Tape folder; default: the setting, else the bundled tape."),
) -> None:
    """Run everything once: fetch, audit, candles, quality, studies, risk report, publication.

    Bars come over HTTP from the stand-in serving a tape. With POLYGON_API_KEY set and no --tape, they come from
    the vendor: the last ten sessions of minutes and two years of days of five symbols, at the plan's pace.
    """
    settings, console, began = load_settings(), Console(stderr=True), perf_counter()
    checked_thresholds(settings)
    with console.status("preparing the warehouse"):
        warehouse = prepare(settings)
    with _source(settings, tape) as origin:
        _take_over(settings, warehouse, origin.name, console)
        stages = _stages(origin.spans, origin.count, universe=settings.optimize.symbols[0])
        _run_stages(settings, warehouse, origin.environment, stages, console)
    console.print(f"[bold]done in {perf_counter() - began:.0f} s[/]")
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
    listed = [item.symbol for item in tape.symbols() if item.asset_class in _CLASSES]
    minutes: list[Span] = []
    for symbol, (first, last) in sorted(_ranges(listed, tape.minute_range).items(), key=lambda item: item[1]):
        if minutes and first - minutes[-1].last < _GAP:
            minutes[-1].ranges[symbol] = (first, last)
        else:
            minutes.append(Span(Timeframe.M1, {symbol: (first, last)}))
    days = _ranges(listed, tape.day_range)
    spans = [*reversed(minutes), *([Span(Timeframe.D1, days)] if days else [])]
    if not spans:
        raise BadTape(f"{tape.folder} holds no stock or crypto bars since {FIRST_SESSION}; the demo needs some.")
    return tuple(spans)


def _ranges(symbols: list[str], range_of: Callable[[str], Range | None]) -> dict[str, Range]:
    found = {symbol: span for symbol in symbols if (span := range_of(symbol)) is not None}
    return {
        symbol: (max(first, FIRST_SESSION), last) for symbol, (first, last) in found.items() if last >= FIRST_SESSION
    }


@contextmanager
def _source(settings: Settings, folder: Path | None) -> Iterator[_Origin]:
    if folder is None and settings.resolved_source == "massive":
        yield _Origin({}, _vendor_spans(settings), settings.massive.base_url, lambda _span: None)
        return
    from chandlery.sources.standin.serve import running  # noqa: PLC0415 - only here a web server is paid for

    opened = open_tape(settings, folder)
    spans = spans_of(opened)
    with running(opened) as url:
        environment = {"CHANDLERY_SOURCE": "replay", "CHANDLERY_PROVIDER__PORT": url.rsplit(":", 1)[1]}
        yield _Origin(environment, spans, str(opened.folder.absolute()), lambda span: _count(opened, span))


def _count(tape: Tape, span: Span) -> int:
    """Return how many bars of a span the tape holds."""
    frames = {symbol: tape.bars(symbol, span.timeframe)["ts"] for symbol in span.ranges}
    first = {symbol: datetime.combine(begin, time.min, tzinfo=UTC) for symbol, (begin, _) in span.ranges.items()}
    return sum(int((ts >= first[symbol]).sum()) for symbol, ts in frames.items())


def _take_over(settings: Settings, warehouse: Warehouse, origin: str, console: Console) -> None:
    """Let the demo show its own bars only: what an earlier demo replayed from another tape makes room.

    Two tapes may hold one symbol, and a series that mixes simulated with real bars would be worth nothing.
    """
    marker = settings.home_dir / "demo-origin"
    before = marker.read_text(encoding="utf-8") if marker.exists() else origin
    if before != origin:
        console.print(f"The warehouse holds the bars of {before}; they make room for those of {origin}.")
        empty_replayed(warehouse)
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(origin, encoding="utf-8")


def _vendor_spans(settings: Settings) -> tuple[Span, ...]:
    symbols = settings.pipeline.symbols or ("AAPL", "GOOG", "IBM", "MSFT", "X:BTCUSD")
    yesterday = now().date() - timedelta(days=1)
    return tuple(
        Span(timeframe, {symbol: (yesterday - timedelta(days=days), yesterday) for symbol in symbols})
        for timeframe, days in ((Timeframe.M1, 14), (Timeframe.D1, 730))
    )


def _stages(
    spans: tuple[Span, ...], count: Callable[[Span], int | None] = lambda _span: None, *, universe: str = "AAPL"
) -> list[Stage]:
    stages: list[Stage] = []
    for number, span in enumerate(spans):
        minutes = span.timeframe is Timeframe.M1
        raw = f"massive__bars_{span.timeframe.value}"
        models = _ALL_MODELS if minutes or number == 0 else _DAY_MODELS
        first = f"{_UNIVERSE} or " if number == 0 else ""
        spans_text = {symbol: f"{begin}...{end}" for symbol, (begin, end) in span.ranges.items()}
        stages.append(
            Stage(
                f"{'minutes' if minutes else 'days'} of {len(span.ranges)} symbols, {span.first} to {span.last}",
                f'{first}key:"raw/{raw}" or {_JUDGED} or {models}',
                f"{span.first}...{span.last}",
                json.dumps({"ops": {f"raw__{raw}": {"config": {"spans": spans_text}}}}),
                count(span),
            )
        )
    first, last = _STUDIED
    studied = [name for name in all_strategies() if first <= name <= last]
    title = f"studies of {len(studied)} strategies"
    stages.append(Stage(title, 'key:"research/studies"', studied=(universe, *studied)))
    stages.append(Stage("risk report and publication", _REPORTS))
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
            note = _note(warehouse, stage, f"stage {number + 1} of {len(stages)}")
            run_to_end(
                _arguments(stage),
                what=f"Stage '{stage.title}'",
                log_file=log_file,
                environment=environment,
                waiting=lambda task=task, note=note: progress.update(task, note=note()),  # type: ignore[misc]
            )
            progress.update(task, completed=1, note="")


def _arguments(stage: Stage) -> list[str]:
    if stage.studied:
        return ["-m", "orchestration.run_studies", *stage.studied]
    arguments = ["-m", "dagster", "asset", "materialize", "-m", "orchestration.definitions", "--select", stage.select]
    if stage.partitions is not None:
        option = "--partition-range" if "..." in stage.partitions else "--partition"
        arguments += [option, stage.partitions]
    return [*arguments, "--config-json", stage.config] if stage.config is not None else arguments


def _note(warehouse: Warehouse, stage: Stage, place: str) -> Callable[[], str]:
    """Return a reading of the work under way: bars so far, their rate, the time left for them, the stage."""
    before = read_progress(warehouse).rows
    first_seen: list[float] = []

    def reading() -> str:
        fetched = read_progress(warehouse).rows - before
        if stage.bars is None or fetched <= 0:
            return f"{fetched:,} bars, {place}" if fetched > 0 else place
        if fetched >= stage.bars:
            return f"{fetched:,} bars in, building on them, {place}"
        # The first reading only starts the watch: process start and imports are not the rate of the bars.
        first_seen.append(perf_counter())
        rate = fetched / max(first_seen[-1] - first_seen[0], 0.25)
        left = (stage.bars - fetched) / rate
        return f"{fetched:,} of {stage.bars:,} bars, {rate:,.0f}/s, {left:.0f} s left, {place}"

    return reading
