"""Measures of drawdown: how deep, how long and how painful. A depth is <= 0."""

import numpy as np

from chandlery.measures.measure import Convention, Measure, Returns
from chandlery.measures.measured import Status
from chandlery.measures.wealth import drawdowns


def _dd_now(returns: Returns, _: Convention) -> float | Status:
    depth = drawdowns(returns)
    return Status.INFEASIBLE if depth is None else float(depth[-1])


def _dd_max(returns: Returns, _: Convention) -> float | Status:
    depth = drawdowns(returns)
    return Status.INFEASIBLE if depth is None else float(depth.min())


def _dd_days_max(returns: Returns, _: Convention) -> float | Status:
    depth = drawdowns(returns)
    if depth is None or not np.isfinite(depth).all():
        return Status.INFEASIBLE
    at_peak = np.flatnonzero(np.concatenate(([True], depth >= 0.0, [True])))
    return float((np.diff(at_peak) - 1).max())


def _ulcer(returns: Returns, _: Convention) -> float | Status:
    depth = drawdowns(returns)
    return Status.INFEASIBLE if depth is None else float(np.sqrt(np.mean(depth**2)))


DRAWDOWN = (
    Measure("dd_now", "drawdown", "fraction", "dd_n, dd = W / max(1, cummax W) - 1", 1, _dd_now),
    Measure("dd_max", "drawdown", "fraction", "min dd", 1, _dd_max),
    Measure("dd_days_max", "drawdown", "periods", "longest run of periods with dd < 0", 1, _dd_days_max),
    Measure("ulcer", "drawdown", "fraction", "sqrt(mean dd^2)", 1, _ulcer),
)
