"""The prices of a study: read from the warehouse, published once as files, mapped by every worker."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from chandlery.backtest import Panel
from chandlery.backtest.panel_files import open_panel, publish_panel
from chandlery.clock import now
from chandlery.errors import NotFound
from chandlery.market.adjust import Adjustment
from chandlery.market.calendar import ZONES
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.steps.candle_reads import CandleReader, Variant
from chandlery.store.candles import read_prices
from chandlery.store.universe import find_instrument
from chandlery.store.warehouse import Warehouse

_ADJUSTMENT = "splits"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPrices:
    """A panel on mapped files, whose it is and where its bars came from."""

    panel: Panel
    panel_id: str
    instrument: Instrument
    source: str
    first_ts: datetime
    last_ts: datetime


def panel_folder(home: Path) -> Path:
    """Return the folder of published panels."""
    return home / "panels"


def read_study_prices(warehouse: Warehouse, symbol: str, timeframe: Timeframe, *, root: Path) -> StudyPrices:
    """Return the split-adjusted bars of a series as a panel published below `root`.

    Unchanged prices are the same panel. Bars within a day are read in the time zone of the exchange.

    Raises:
        NotFound: the symbol is not tracked or has no bars of that timeframe.
    """
    with warehouse.read() as connection:
        instrument = find_instrument(connection, symbol)
    is_daily = timeframe is Timeframe.D1
    bars = read_prices(warehouse, (symbol,)) if is_daily else _candles(warehouse, instrument, timeframe)
    if bars.is_empty():
        named = "daily prices" if is_daily else f"{timeframe.value} candles"
        raise NotFound(f"{symbol} has no {named} to study. Ingest its bars first (`chandlery demo`).")
    zone = "UTC" if is_daily else ZONES[instrument.calendar]
    panel = Panel.from_bars(bars, symbol=symbol, timeframe=timeframe.value, timezone=zone)
    source = "+".join(sorted(set(bars["source"].to_list())))
    first, last = bars["ts"][0], bars["ts"][-1]
    folder = publish_panel(root, panel, adjustment=_ADJUSTMENT, data_version=f"{source} to {last:%Y-%m-%d}")
    return StudyPrices(
        panel=open_panel(root, folder.name),
        panel_id=folder.name,
        instrument=instrument,
        source=source,
        first_ts=first,
        last_ts=last,
    )


def _candles(warehouse: Warehouse, instrument: Instrument, timeframe: Timeframe) -> pl.DataFrame:
    reader = CandleReader(warehouse, instrument, Variant(adjusted=Adjustment.SPLIT), now)
    read = reader.from_days if timeframe is Timeframe.W1 else reader.from_minutes
    found = read(timeframe, None, None)
    return found.filter(pl.col("is_final")) if not found.is_empty() else found
