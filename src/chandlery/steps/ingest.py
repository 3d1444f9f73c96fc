"""One ingest as a run asks for it: by window, by market day or from flat files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from chandlery.errors import InvalidInput
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings, load_settings
from chandlery.sources.protocol import BarSource
from chandlery.steps.bars import Progress, ingest_bars, silent
from chandlery.steps.ingest_receipt import IngestReceipt
from chandlery.steps.market_days import ingest_flat_files, ingest_market_days
from chandlery.steps.source import open_shared_flat_files
from chandlery.store.warehouse import Warehouse


class Via(StrEnum):
    """How bars are asked for: by symbol and window, by market day, or from flat files."""

    AGGREGATES = "aggregates"
    GROUPED = "grouped"
    FLAT_FILES = "flat_files"


@dataclass(frozen=True, slots=True)
class Choices:
    """What is to be brought in, and how; see `steps.bars.ingest_bars` for spans, only_missing and run_id."""

    timeframe: Timeframe
    start: date
    end: date
    via: Via = Via.AGGREGATES
    spans: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    only_missing: bool = False
    run_id: str | None = None


def ingest(
    source: BarSource,
    warehouse: Warehouse,
    choices: Choices,
    *,
    settings: Settings | None = None,
    progress: Callable[[Progress], None] = silent,
) -> IngestReceipt:
    """Bring in bars the chosen way.

    Args:
        source: asked for aggregates and grouped days.
        warehouse: where.
        choices: what and how.
        settings: say where flat files lie; None reads them.
        progress: told after every window or session.

    Raises:
        InvalidInput: spans with anything but aggregates, grouped with minutes.
        ConfigError: flat files without a place.
        SourceError, Blocked: as the three ways do.
    """
    if choices.via is Via.AGGREGATES:
        return _by_window(source, warehouse, choices, progress)
    if choices.spans:
        raise InvalidInput(f"Symbols were chosen and bars come via {choices.via}, which brings whole market days.")
    if choices.via is Via.FLAT_FILES:
        return _from_files(settings or load_settings(), warehouse, choices, progress)
    if choices.timeframe is not Timeframe.D1:
        raise InvalidInput(f"Timeframe was {choices.timeframe}; grouped answers hold day bars (1d) only.")
    return ingest_market_days(
        source, warehouse, start=choices.start, end=choices.end, run_id=choices.run_id, progress=progress
    ).bars


def _by_window(
    source: BarSource, warehouse: Warehouse, choices: Choices, progress: Callable[[Progress], None]
) -> IngestReceipt:
    return ingest_bars(
        source,
        warehouse,
        timeframe=choices.timeframe,
        start=choices.start,
        end=choices.end,
        spans=choices.spans,
        only_missing=choices.only_missing,
        run_id=choices.run_id,
        progress=progress,
    )


def _from_files(
    settings: Settings, warehouse: Warehouse, choices: Choices, progress: Callable[[Progress], None]
) -> IngestReceipt:
    files = open_shared_flat_files(settings, warehouse)
    try:
        return ingest_flat_files(
            files,
            warehouse,
            timeframe=choices.timeframe,
            start=choices.start,
            end=choices.end,
            run_id=choices.run_id,
            progress=progress,
        ).bars
    finally:
        files.close()
