"""Cost sensitivity: the chosen candidate with costs multiplied."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from chandlery.backtest import Costs, Execution, FeeKind, Panel, evaluate_many
from chandlery.optimize.evidence import CostRow
from chandlery.strategies import Strategy

FACTORS = (0.0, 1.0, 1.5, 2.0, 4.0)

FREE_STEP = 0.0005
"""Fee per side that factor 1 stands for when a study was run without costs: 5 bps."""

_MOST = 0.999


def cost_sensitivity(
    strategy: Strategy, params: Mapping[str, float], panel: Panel, execution: Execution
) -> tuple[CostRow, ...]:
    """Return the outcome of one candidate with 0, 1, 1.5, 2 and 4 times the costs of `execution`.

    Fee, slippage and spread are multiplied alike; ticks of slippage are rounded up. A study without any cost is
    shown with a fee of `factor` x 5 bps per side instead.
    """
    row = np.array([[float(params[name]) for name in strategy.param_names]])
    found = []
    for factor in FACTORS:
        costs = scaled(execution.costs, factor)
        metrics = evaluate_many(strategy, row, panel, replace(execution, costs=costs)).row(0)
        found.append(
            CostRow(
                factor=factor,
                equity=_finite(metrics.equity),
                bar_sharpe=_finite(metrics.bar_sharpe),
                max_dd=_finite(metrics.max_dd),
                closed_trades=metrics.closed_trades,
            )
        )
    return tuple(found)


def scaled(costs: Costs, factor: float) -> Costs:
    """Return the costs times `factor`, `factor` x 5 bps of fee where there are none; a fraction stays below 1."""
    if not (costs.fee or costs.taken or costs.slippage_ticks):
        return replace(costs, fee=factor * FREE_STEP, fee_kind=FeeKind.PERCENT)
    fee = costs.fee * factor
    return replace(
        costs,
        fee=min(_MOST, fee) if costs.fee_kind is FeeKind.PERCENT else fee,
        slippage=min(_MOST, costs.slippage * factor),
        spread=min(_MOST, costs.spread * factor),
        slippage_ticks=int(np.ceil(costs.slippage_ticks * factor)),
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
