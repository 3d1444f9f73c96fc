"""Ledger: the trades of one run as a table."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest.kernels import fields as f
from chandlery.backtest.panel import Panel
from chandlery.market.bars import TS

TRADE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "side": pl.String,
    "entry_bar": pl.Int64,
    "entry_ts": TS,
    "entry_price": pl.Float64,
    "exit_bar": pl.Int64,
    "exit_ts": TS,
    "exit_price": pl.Float64,
    "exit_reason": pl.String,
    "quantity": pl.Float64,
    "cost": pl.Float64,
    "fees": pl.Float64,
    "profit": pl.Float64,
    "bars": pl.Int64,
    "is_open": pl.Boolean,
}
"""One row per trade, in the order in which they closed, open ones last.

`side` is long or short. Bars count from 0 in the panel. Prices include slippage, not fees; `quantity` is above 0;
`cost`, the value of the entry with its fee, `fees` of both sides and `profit` after them are in units of the
starting cash (simple mode) or money (Pine mode); `bars` counts closes in position. `exit_reason` is signal, stop,
limit, trail, time or reversal. Of an open trade exit_bar, exit_ts and exit_reason are null, exit_price the last
close and profit the mark.
"""

REASONS = {
    f.SIGNAL: "signal",
    f.STOPPED: "stop",
    f.LIMITED: "limit",
    f.TRAILED: "trail",
    f.TIMED: "time",
    f.REVERSED: "reversal",
    f.OPPOSED: "reversal",
}


def trade_table(panel: Panel, lines: NDArray[np.float64]) -> pl.DataFrame:
    """Return the trades (`TRADE_SCHEMA`) that the order kernel wrote, `[trades, fields.TRADE]`."""
    entered = lines[:, f.TRADE_ENTRY_BAR].astype(np.int64)
    left = lines[:, f.TRADE_EXIT_BAR].astype(np.int64)
    is_open = left < 0
    ended = np.where(is_open, panel.bars, left)
    frame = pl.DataFrame(
        {
            "side": np.where(lines[:, f.TRADE_SIDE] > 0.0, "long", "short"),
            "entry_bar": entered,
            "entry_ts": panel.ts[entered],
            "entry_price": lines[:, f.TRADE_ENTRY_PRICE],
            "exit_bar": left,
            "exit_ts": panel.ts[np.where(is_open, 0, left)],
            "exit_price": lines[:, f.TRADE_EXIT_PRICE],
            "exit_reason": [REASONS.get(int(reason)) for reason in lines[:, f.TRADE_REASON]],
            "quantity": lines[:, f.TRADE_QUANTITY],
            "cost": lines[:, f.TRADE_COST],
            "fees": lines[:, f.TRADE_FEES],
            "profit": lines[:, f.TRADE_PROFIT],
            # A trade opened and closed within one bar saw no close.
            "bars": ended - entered,
            "is_open": is_open,
        },
        schema_overrides={"exit_reason": pl.String, "side": pl.String},
    )
    nulled = [
        pl.when(pl.col("is_open")).then(None).otherwise(pl.col(name)).alias(name) for name in ("exit_bar", "exit_ts")
    ]
    return frame.with_columns(nulled).select(pl.col(name).cast(dtype) for name, dtype in TRADE_SCHEMA.items())
