"""The full run of one chosen candidate over several symbols."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.backtest.execution import Execution
from chandlery.backtest.metrics import BLOCKS, METRICS, KernelMetrics
from chandlery.backtest.multi_panel import MultiPanel
from chandlery.backtest.rotation_engine import check_fit, plans_of, simulate_plans
from chandlery.backtest.symbol_values import SymbolValues
from chandlery.errors import ResearchError
from chandlery.market.bars import TS
from chandlery.strategies import Portfolio, portfolio_warmup, validate_params

FILL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "symbol": pl.String,
    "quantity": pl.Float64,
    "price": pl.Float64,
    "money": pl.Float64,
}
"""One row per fill, in the order of the account. `quantity` is negative for a sale; `price` includes slippage, not
fees; `money` is what the account gained or, negative, paid, fees included, in units of the starting cash."""

WEIGHT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"ts": TS, "symbol": pl.String, "weight": pl.Float64}
"""One row per decision and symbol: the target as a fraction of equity, decided at the close of that bar."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PortfolioResult:
    """One candidate over one panel of several symbols.

    `ts` int64 `[n]` microseconds UTC, bar opens. `equity` float64 `[n]`: multiple of the starting cash, marked at
    each close. `returns` float64 `[n]`: `equity[i] / equity[i-1] - 1`, the first 0. `exposure` float64 `[n]`:
    value held, shorts counted positive, over equity at the close. `turnover` float64 `[n]`: value traded at the
    open of the bar over equity there, both sides counted. `fills`: see `FILL_SCHEMA`. `weights`: see
    `WEIGHT_SCHEMA`. Of `metrics`, a closed trade is a holding from flat to flat, whatever was traded in between,
    and exposure bars are closes with anything held.
    """

    portfolio: Portfolio
    params: Mapping[str, float | int]
    panel_id: str
    execution: Execution
    ts: NDArray[np.int64]
    equity: NDArray[np.float64]
    returns: NDArray[np.float64]
    exposure: NDArray[np.float64]
    turnover: NDArray[np.float64]
    fills: pl.DataFrame
    weights: pl.DataFrame
    metrics: KernelMetrics


def run_portfolio(
    portfolio: Portfolio, params: Mapping[str, float], panel: MultiPanel, execution: Execution
) -> PortfolioResult:
    """Run a strategy over several symbols with `params` (missing ones take their default).

    Weights are decided at the close and traded at the next open at which a symbol has a bar, fractional, at
    `execution.costs` per side; a newer decision replaces what still waits. At the open the targets are taken of
    equity at the opens (of a symbol without a bar: its last close). First what is to be flat or reversed is
    closed, then what is above its target is sold, then the rest is bought, costs included in the money spent; if
    that exceeds the cash, every purchase takes the same share of it, so cash stays at 0 or above but for a short
    position that is bought back. Differences, and cash, below 1e-12 of equity are not traded.

    Between decisions quantities stay. Holdings are marked at the last close; of a symbol that has ceased to
    trade, for ever. Short sales earn and pay no interest. An account worth nothing at a close is closed there, at
    0. `execution.sides` does not apply: a rotation is long, a pair both.

    Raises:
        BadParameters: listing one fault per field.
        InvalidInput: for a panel that lacks the symbols.
        ResearchError: for a panel shorter than the warm-up of these parameters, or Pine mode.
    """
    numbers = validate_params(portfolio, params)
    check_fit(portfolio, panel, execution)
    row = np.array([[float(value) for value in numbers.values()]])
    if panel.bars < (needed := int(portfolio_warmup(portfolio, row)[0]) + 2):
        raise ResearchError(
            f"The panel has {panel.bars} bars and {portfolio.name} with these parameters needs {needed}; take a "
            "longer period or shorter lengths."
        )
    plan = plans_of(portfolio, [numbers], panel, SymbolValues(panel, portfolio.expressions))[0]
    metrics, moments = np.empty((1, len(METRICS))), np.empty((1, BLOCKS, 4))
    curve, fills = np.empty((3, panel.bars)), np.full((2 * plan.weights.size + 1, 5), np.nan)
    simulate_plans([plan], panel, execution, metrics, moments, threads=1, curves=(curve, fills))
    equity = curve[0]
    returns = np.zeros(panel.bars)
    np.divide(equity[1:], equity[:-1], out=returns[1:], where=equity[:-1] > 0.0)
    returns[1:] = np.where(equity[:-1] > 0.0, returns[1:] - 1.0, 0.0)
    return PortfolioResult(
        portfolio=portfolio,
        params=numbers,
        panel_id=panel.panel_id,
        execution=execution,
        ts=panel.ts,
        equity=equity,
        returns=returns,
        exposure=curve[1],
        turnover=curve[2],
        fills=_fills(fills[~np.isnan(fills[:, 0])], panel),
        weights=_weights(plan.bars, plan.weights, panel),
        metrics=KernelMetrics.from_row(metrics[0]),
    )


def _fills(rows: NDArray[np.float64], panel: MultiPanel) -> pl.DataFrame:
    columns = {
        "ts": panel.ts[rows[:, 0].astype(np.int64)],
        "symbol": [panel.symbols[place] for place in rows[:, 1].astype(np.int64)],
        "quantity": rows[:, 2],
        "price": rows[:, 3],
        "money": rows[:, 4],
    }
    return _frame(columns, FILL_SCHEMA)


def _weights(bars: NDArray[np.int64], weights: NDArray[np.float64], panel: MultiPanel) -> pl.DataFrame:
    columns = {
        "ts": np.repeat(panel.ts[bars], len(panel.symbols)),
        "symbol": list(panel.symbols) * bars.size,
        "weight": weights.ravel(),
    }
    return _frame(columns, WEIGHT_SCHEMA)


def _frame(columns: Mapping[str, object], schema: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    plain = {name: pl.Int64 if name == "ts" else dtype for name, dtype in schema.items()}
    return pl.DataFrame(columns, schema=plain).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
