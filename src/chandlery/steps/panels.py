"""Panels: publish the prices that studies run on as files, once, for every worker to map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.panel import Panel
from chandlery.backtest.panel_files import publish_panel
from chandlery.errors import NotFound
from chandlery.log import get_logger
from chandlery.market.symbols import parse_symbol
from chandlery.store.candles import read_prices
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_TIMEFRAME = "1d"
_ADJUSTMENT = "splits"


@dataclass(frozen=True, slots=True)
class PanelReceipt:
    """What was published: the panel's id, its symbols and the number of bars of its clock."""

    panel_id: str
    symbols: tuple[str, ...]
    bars: int


def publish_prices(warehouse: Warehouse, names: Sequence[str], *, root: Path) -> PanelReceipt:
    """Publish the split-adjusted daily prices of one symbol, or of several on one clock, below `root`.

    Unchanged prices are the same panel: nothing is written again.

    Raises:
        InvalidInput: for a name that is no symbol.
        NotFound: naming the first symbol without daily prices.
    """
    symbols = tuple(parse_symbol(name) for name in names)
    prices = read_prices(warehouse, symbols)
    panels = [_panel(prices.filter(pl.col("symbol") == symbol), symbol) for symbol in symbols]
    panel = panels[0] if len(panels) == 1 else MultiPanel.from_panels(panels)
    version = f"{'+'.join(sorted(set(prices['source'])))} to {max(prices['session'].to_list())}"
    folder = publish_panel(root, panel, adjustment=_ADJUSTMENT, data_version=version)
    log.info("panel_published", panel=folder.name, symbols=len(symbols), bars=panel.bars)
    return PanelReceipt(folder.name, symbols, panel.bars)


def _panel(prices: pl.DataFrame, symbol: str) -> Panel:
    if prices.is_empty():
        raise NotFound(f"{symbol} has no daily prices to publish. Ingest its day bars first (`chandlery demo`).")
    return Panel.from_bars(prices, symbol=symbol, timeframe=_TIMEFRAME)
