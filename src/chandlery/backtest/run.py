"""The full run of one chosen candidate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest.compiler import compile_strategy
from chandlery.backtest.execution import Execution
from chandlery.backtest.ledger import trade_table
from chandlery.backtest.machine import Wanted, run_machine
from chandlery.backtest.metrics import KernelMetrics
from chandlery.backtest.panel import Panel, require_bars
from chandlery.strategies import Strategy, checked_rows, validate_params, warmup_bars
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
    """One candidate over one panel.

    `ts` int64 `[n]` microseconds UTC, bar opens. `equity` float64 `[n]`, marked at each close: multiple of the
    starting cash in simple mode, money in Pine mode. `exposure` float64 `[n]`: share of equity in position at each
    close, negative when short. `returns` float64 `[n]`: `equity[i] / equity[i-1] - 1`; the first is 0,
    since nothing can be held on the first bar. `trades`: see `TRADE_SCHEMA`. `metrics` come
    from the engine that ranks candidates.
    """

    strategy: Strategy
    params: Mapping[str, float | int]
    panel_id: str
    execution: Execution
    ts: NDArray[np.int64]
    equity: NDArray[np.float64]
    returns: NDArray[np.float64]
    exposure: NDArray[np.float64]
    trades: pl.DataFrame
    metrics: KernelMetrics


def run_backtest(strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution) -> BacktestResult:
    """Run `strategy` with `params` (missing ones take their default) over `panel`.

    Simple mode: all-in, fractional; decided at the close, filled at the next open; costs are fractions of the
    price on both sides; an entry beats an exit on the same bar; an open position is marked at the last close.

    Raises:
        BadParameters: listing one fault per field.
        ResearchError: for a panel shorter than the warm-up of these parameters.
    """
    values = validate_params(strategy, params)
    row = np.array([[float(value) for value in values.values()]])
    require_bars(panel, int(warmup_bars(strategy, row)[0]))
    program = compile_strategy(strategy, execution.sides)
    found = run_machine(program, checked_rows(strategy, row), panel, execution, wanted=Wanted(record=True), threads=1)
    equity, exposure = found.curve
    return BacktestResult(
        strategy=strategy,
        params=values,
        panel_id=panel.panel_id,
        execution=execution,
        ts=panel.ts,
        equity=equity,
        returns=_returns(equity),
        exposure=exposure,
        trades=trade_table(panel, found.trades),
        metrics=KernelMetrics.from_row(found.metrics[0]),
    )


def _returns(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the change of every bar; 0 on the first, and where there was nothing left to change."""
    before = np.concatenate((equity[:1], equity[:-1]))
    solvent = before > 0.0
    return np.where(solvent, equity / np.where(solvent, before, 1.0) - 1.0, 0.0)


def buy_and_hold(panel: Panel, execution: Execution) -> BacktestResult:
    """Return the run that buys at the second open and holds: the benchmark every candidate is shown beside."""
    return run_backtest(_BUY_AND_HOLD, {}, panel, execution)
