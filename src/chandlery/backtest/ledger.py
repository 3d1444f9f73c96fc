"""The ledger: from two signal series to fills, trades and the equity curve of one candidate."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest.panel import Panel
from chandlery.market.bars import TS

TRADE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "entry_ts": TS,
    "entry_price": pl.Float64,
    "exit_ts": TS,
    "exit_price": pl.Float64,
    "quantity": pl.Float64,
    "cost": pl.Float64,
    "profit": pl.Float64,
    "bars": pl.Int64,
    "is_open": pl.Boolean,
}
"""One row per trade, in time order. Prices include slippage, not fees; `cost` and `profit` (after fees) are in
units of the starting cash; `bars` counts closes in position. Of an open trade exit_ts is null, exit_price the last
close and profit the mark."""


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """Equity float64 `[bars]`, marked at each close, and the trades (`TRADE_SCHEMA`)."""

    equity: NDArray[np.float64]
    trades: pl.DataFrame


def keep_ledger(
    panel: Panel, entry: NDArray[np.bool_], closing: NDArray[np.bool_], *, fee: float, slippage: float
) -> Ledger:
    """Return the ledger of a long-only, all-in account that starts with cash 1.0 (standard mode).

    `entry` and `closing` are decisions at the close of each bar, filled at the next open.
    """
    opens, closes = panel.field("open"), panel.field("close")
    equity = np.ones(panel.bars)
    cash, rows = 1.0, []
    for bought, sold in _holdings(entry, closing):
        price = float(opens[bought]) * (1.0 + slippage)
        quantity = cash / (price * (1.0 + fee))
        end = panel.bars if sold is None else sold
        equity[bought:end] = quantity * closes[bought:end]
        cost = cash
        leaving = float(closes[-1]) if sold is None else float(opens[sold]) * (1.0 - slippage)
        cash = float(equity[-1]) if sold is None else quantity * leaving * (1.0 - fee)
        if sold is not None:
            equity[sold:] = cash
        exit_ts = None if sold is None else int(panel.ts[sold])
        held = end - bought
        rows.append((int(panel.ts[bought]), price, exit_ts, leaving, quantity, cost, cash - cost, held, sold is None))
    return Ledger(equity, _trades(rows))


def _holdings(entry: NDArray[np.bool_], closing: NDArray[np.bool_]) -> list[tuple[int, int | None]]:
    """Return the bars of the fills, bought and sold; None is sold never. A signal on the last bar never fills."""
    bars = entry.size
    entries, exits = np.flatnonzero(entry[:-1]), np.flatnonzero((closing & ~entry)[:-1])
    holdings: list[tuple[int, int | None]] = []
    flat_from = 0
    while True:
        position = int(np.searchsorted(entries, flat_from))
        if position == entries.size:
            return holdings
        bought = int(entries[position]) + 1
        position = int(np.searchsorted(exits, bought))
        if position == exits.size:
            return [*holdings, (bought, None)]
        sold = int(exits[position]) + 1
        holdings.append((bought, sold))
        flat_from = min(sold, bars)


def _trades(rows: list[tuple[int, float, int | None, float, float, float, float, int, bool]]) -> pl.DataFrame:
    plain = {name: pl.Int64 if name.endswith("_ts") else dtype for name, dtype in TRADE_SCHEMA.items()}
    frame = pl.DataFrame(rows, schema=plain, orient="row")
    return frame.select(pl.col(name).cast(dtype) for name, dtype in TRADE_SCHEMA.items())
