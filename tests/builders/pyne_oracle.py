"""The oracle: a Pine script run in PyneCore, an independent runtime checked against TradingView.

`run_pine` runs the exported text itself. Test only: PyneCore is never imported by the product.
"""

import hashlib
import math
import os
import tempfile
from dataclasses import dataclass
from datetime import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pine_translator import to_pyne

from chandlery.backtest.execution import Execution
from chandlery.backtest.panel import Panel

if TYPE_CHECKING:
    from pynecore.core.syminfo import SymInfo
    from pynecore.lib.strategy import Trade


@dataclass(frozen=True, slots=True)
class PineTrade:
    """One closed trade: times of the bars in microseconds, prices, signed quantity, profit net of fees."""

    entered: int
    entry_price: float
    exited: int
    exit_price: float
    quantity: float
    profit: float


@dataclass(frozen=True, slots=True)
class PineRun:
    """Closed trades in the order in which they closed, equity after every bar, plotted values by title.

    `open_trades` are those left at the end, with `exited` -1 and no exit price.
    """

    trades: tuple[PineTrade, ...]
    open_trades: tuple[PineTrade, ...]
    equity: tuple[float, ...]
    plots: dict[str, list[float]]


def run_pine(text: str, panel: Panel, execution: Execution) -> PineRun:
    """Run the script on the bars of `panel`; tick, lot and point value are those of `execution`.

    The script's own `strategy()` call sets capital and costs. Prices reach the script as they are in the panel;
    orders are filled on prices rounded to the tick.
    """
    return run_pyne(to_pyne(text), panel, execution)


def run_pyne(text: str, panel: Panel, execution: Execution) -> PineRun:
    """Run a script that is already in PyneCore's Python; the translation of long Pine texts takes seconds."""
    # PyneCore writes settings beside the script unless told not to.
    os.environ["PYNE_SAVE_SCRIPT_TOML"] = "0"
    from pynecore.core.script_runner import ScriptRunner
    from pynecore.types.ohlcv import OHLCV

    stamps = (panel.ts // 1000).tolist()
    bars = [OHLCV(stamp, *row) for stamp, row in zip(stamps, panel.ohlcv.T.tolist(), strict=True)]
    runner = ScriptRunner(_module(text), bars, _symbol(panel, execution), lossless_volume=True, lossless_prices=True)
    position = runner.script.position
    closed, equity, plots = [], [], {}
    for _, plotted, trades in runner.run_iter(copy_results=False):
        closed += [_trade(trade, stamps) for trade in trades]
        equity.append(float(position.equity))
        for title, value in plotted.items():
            plots.setdefault(title, []).append(float(value) if isinstance(value, int | float) else math.nan)
    left = tuple(_trade(trade, stamps) for trade in position.open_trades)
    return PineRun(tuple(closed), left, tuple(equity), plots)


def _trade(trade: "Trade", stamps: list[int]) -> PineTrade:
    exited = trade.exit_bar_index
    return PineTrade(
        entered=stamps[int(trade.entry_bar_index)] * 1000,
        entry_price=float(trade.entry_price),
        exited=stamps[int(exited)] * 1000 if exited >= 0 else -1,
        exit_price=float(trade.exit_price) if exited >= 0 else math.nan,
        quantity=float(trade.size),
        profit=float(trade.profit),
    )


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return the folder of the translated modules; it goes away with the process."""
    return tempfile.TemporaryDirectory(prefix="pyne_oracle_")


def _module(source: str) -> Path:
    path = Path(_folder().name) / f"script_{hashlib.sha256(source.encode()).hexdigest()[:16]}.py"
    if not path.exists():
        path.write_text(source, encoding="utf-8")
    return path


def _symbol(panel: Panel, execution: Execution) -> "SymInfo":
    from pynecore.core.syminfo import SymInfo, SymInfoInterval, tick_grid

    minmove, pricescale = tick_grid(execution.tick)
    return SymInfo(
        prefix="TEST",
        description=panel.symbol,
        ticker="TEST",
        currency="USD",
        period=_period(panel.timeframe),
        type="stock",
        mintick=execution.tick,
        pricescale=pricescale,
        minmove=minmove,
        pointvalue=execution.point_value,
        mincontract=execution.lot,
        opening_hours=[SymInfoInterval(day=day, start=time(0), end=time(0)) for day in range(1, 8)],
        session_starts=[],
        session_ends=[],
        timezone=panel.timezone,
    )


def _period(timeframe: str) -> str:
    """Return a time frame such as `1m`, `1h`, `1d` in Pine's words: minutes, or days."""
    number, unit = int(timeframe[:-1]), timeframe[-1]
    return {"m": f"{number}", "h": f"{60 * number}", "d": f"{number}D", "w": f"{number}W"}[unit]
