"""The full run of one chosen candidate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest.engine import evaluate_many
from chandlery.backtest.ledger import keep_ledger
from chandlery.backtest.metrics import KernelMetrics
from chandlery.backtest.panel import Panel, require_bars
from chandlery.strategies import Strategy, validate_params, warmup_bars
from chandlery.strategies.expressions import Const
from chandlery.strategies.operations import close

_NOTHING = Const(0.0)

_BUY_AND_HOLD = Strategy(
    name="buy_and_hold",
    version=1,
    family="benchmark",
    title="Buy and hold",
    doc="Bought at the second open, held to the end, with the costs of a strategy.",
    long_entry=close > _NOTHING,
    long_exit=close < _NOTHING,
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BacktestResult:
    """One candidate over one panel, in standard mode.

    `ts` int64 `[n]` microseconds UTC, bar opens. `equity` float64 `[n]`: multiple of the starting cash, marked at
    each close. `returns` float64 `[n]`: `equity[i] / equity[i-1] - 1`; the first is 0, since nothing can be held
    on the first bar. `trades`: see `TRADE_SCHEMA`. `metrics` come from the engine that ranks candidates.
    """

    strategy: Strategy
    params: Mapping[str, float | int]
    panel_id: str
    fee: float
    slippage: float
    ts: NDArray[np.int64]
    equity: NDArray[np.float64]
    returns: NDArray[np.float64]
    trades: pl.DataFrame
    metrics: KernelMetrics


def run_backtest(
    strategy: Strategy, params: Mapping[str, float], panel: Panel, *, fee: float, slippage: float
) -> BacktestResult:
    """Run `strategy` with `params` (missing ones take their default) over `panel`.

    Standard mode: long-only, all-in, fractional; decided at the close, filled at the next open; `fee` and
    `slippage` are fractions of the price on both sides; an entry beats an exit on the same bar; an open position
    is marked at the last close.

    Raises:
        BadParameters: listing one fault per field.
        InvalidInput: for costs outside `[0, 1)`.
        ResearchError: for a panel shorter than the warm-up of these parameters.
    """
    values = validate_params(strategy, params)
    row = np.array([[float(value) for value in values.values()]])
    require_bars(panel, int(warmup_bars(strategy, row)[0]))
    found = evaluate_many(strategy, row, panel, fee=fee, slippage=slippage, keep_signals=True, threads=1)
    signals = found.signals if found.signals is not None else np.zeros((1, 2, panel.bars), dtype=np.bool_)
    ledger = keep_ledger(panel, signals[0, 0], signals[0, 1], fee=fee, slippage=slippage)
    returns = np.zeros(panel.bars)
    returns[1:] = ledger.equity[1:] / ledger.equity[:-1] - 1.0
    return BacktestResult(
        strategy=strategy,
        params=values,
        panel_id=panel.panel_id,
        fee=fee,
        slippage=slippage,
        ts=panel.ts,
        equity=ledger.equity,
        returns=returns,
        trades=ledger.trades,
        metrics=found.row(0),
    )


def buy_and_hold(panel: Panel, *, fee: float, slippage: float) -> BacktestResult:
    """Return the run that buys at the second open and holds: the benchmark every candidate is shown beside.

    Raises:
        InvalidInput: for costs outside `[0, 1)`.
    """
    return run_backtest(_BUY_AND_HOLD, {}, panel, fee=fee, slippage=slippage)
