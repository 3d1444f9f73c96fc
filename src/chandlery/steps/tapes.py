"""Bring in a whole tape through the same doors as the vendor: universe, calendar, bars, actions, judges, models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from chandlery.errors import BadTape
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.sources.protocol import BarSource
from chandlery.sources.tapes import Tape
from chandlery.steps.actions import VerdictReceipt, ingest_actions
from chandlery.steps.bars import Progress, ingest_bars, silent
from chandlery.steps.calendar import build_calendar
from chandlery.steps.candle_judging import judge_candles
from chandlery.steps.ingest_receipt import IngestReceipt
from chandlery.steps.judging import JudgeReceipt, judge_quality
from chandlery.steps.models import build_market_models
from chandlery.steps.recorded_actions import chosen_instruments
from chandlery.steps.universe import sync_universe
from chandlery.store.universe import track, tracked_instruments
from chandlery.store.warehouse import Warehouse
from chandlery.store.witnesses import write_witness

_SOURCE = "replay"
_CLASSES = (AssetClass.STOCKS, AssetClass.CRYPTO)


@dataclass(frozen=True, slots=True)
class TapeReceipt:
    """What a tape brought: symbols, bars by timeframe, judged actions, quality, the window `[start, end)` built."""

    symbols: tuple[str, ...]
    bars: Mapping[str, IngestReceipt]
    actions: VerdictReceipt
    quality: JudgeReceipt
    start: date
    end: date


def ingest_tape(
    tape: Tape,
    source: BarSource,
    warehouse: Warehouse,
    *,
    target: Path,
    now: datetime,
    thresholds: Mapping[str, float],
    progress: Callable[[Progress], None] = silent,
) -> TapeReceipt:
    """Bring in every stock and crypto pair of a tape; what was tracked before stays tracked.

    Args:
        tape: says what there is and from when to when.
        source: serves that tape.
        warehouse: where.
        target: folder for dbt's artefacts.
        now: the calendar is built to one year after it.
        thresholds: of rules, those not at their default.
        progress: told after every window.

    Raises:
        BadTape: it holds no stock or crypto bars.
        SourceError, Blocked, StoreError: as ingest and models do.
    """
    symbols = [item.symbol for item in tape.symbols() if item.asset_class in _CLASSES]
    spans = {timeframe: _spans(tape, symbols, timeframe) for timeframe in BASE_TIMEFRAMES}
    edges = [edge for by_symbol in spans.values() for edge in by_symbol.values()]
    if not edges:
        raise BadTape(f"{tape.folder} holds no stock or crypto bars; see docs/how-to/use-your-own-tape.md.")
    start, end = min(first for first, _ in edges), max(last for _, last in edges)
    with warehouse.read() as connection:
        before = tracked_instruments(connection)
    sync_universe(source, warehouse, symbols=(), source_name=_SOURCE)
    with warehouse.write() as connection:
        for instrument in before:
            track(connection, instrument.instrument_id, is_tracked=True)
    build_calendar(warehouse, end=max(end, now.date()) + timedelta(days=366))
    receipts = {
        timeframe.value: ingest_bars(
            source, warehouse, timeframe=timeframe, start=start, end=end, spans=by_symbol, progress=progress
        )
        for timeframe, by_symbol in spans.items()
        if by_symbol
    }
    judged = ingest_actions(source, warehouse, source_name=_SOURCE, symbols=symbols)
    _keep_witnesses(tape, warehouse, symbols)
    quality = judge_quality(
        warehouse, start=start, end=end, now=now, thresholds=thresholds, symbols=symbols, progress=progress
    )
    build_market_models(warehouse, start=start, end=end, target=target, thresholds=thresholds)
    judge_candles(warehouse, start, end)
    return TapeReceipt(tuple(symbols), receipts, judged, quality, start, end)


def _keep_witnesses(tape: Tape, warehouse: Warehouse, symbols: list[str]) -> None:
    """Store the files that do not make a series: they say what another publisher has of it."""
    for instrument in chosen_instruments(warehouse, symbols):
        for timeframe in BASE_TIMEFRAMES:
            for witness in tape.witnesses(instrument.symbol, timeframe):
                with warehouse.write() as connection:
                    write_witness(
                        connection,
                        witness.bars,
                        instrument_id=instrument.instrument_id,
                        timeframe=timeframe,
                        source=witness.source,
                        basis_on=witness.basis_on,
                    )


def _spans(tape: Tape, symbols: list[str], timeframe: Timeframe) -> dict[str, tuple[date, date]]:
    ranges = {symbol: _range(tape, symbol, timeframe) for symbol in symbols}
    return {symbol: (found[0], found[1] + timedelta(days=1)) for symbol, found in ranges.items() if found is not None}


def _range(tape: Tape, symbol: str, timeframe: Timeframe) -> tuple[date, date] | None:
    return tape.minute_range(symbol) if timeframe is Timeframe.M1 else tape.day_range(symbol)
