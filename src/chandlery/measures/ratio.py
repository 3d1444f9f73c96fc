"""Measures that divide return by risk. None is given on fewer than 60 observations."""

import math

import numpy as np

from chandlery.measures.dispersion import downside
from chandlery.measures.measure import Convention, Measure, Returns, is_flat
from chandlery.measures.measured import Status
from chandlery.measures.wealth import drawdowns, wealth

_FEWEST = 60


def _sharpe(returns: Returns, convention: Convention) -> float | Status:
    # The sd of r - f is that of r for a constant f; taking r keeps the noise test on the returns themselves.
    spread = float(returns.std(ddof=1))
    if is_flat(spread, returns):
        return Status.ZERO_VARIANCE
    return (float(returns.mean()) - convention.risk_free) / spread * math.sqrt(convention.periods_per_year)


def _sortino(returns: Returns, convention: Convention) -> float | Status:
    spread = downside(returns, convention.mar)
    if is_flat(spread, returns):
        return Status.NO_LOSS
    return (float(returns.mean()) - convention.mar) / spread * math.sqrt(convention.periods_per_year)


def _calmar(returns: Returns, convention: Convention) -> float | Status:
    path, depth = wealth(returns), drawdowns(returns)
    if path is None or depth is None:
        return Status.INFEASIBLE
    deepest = float(-depth.min())
    if deepest == 0.0:
        return Status.NO_LOSS
    return (float(np.power(path[-1], convention.periods_per_year / returns.size)) - 1.0) / deepest


RATIO = (
    Measure("sharpe", "ratio", "ratio", "mean(r - f) / sd(r - f) sqrt(P) (Sharpe 1994)", _FEWEST, _sharpe),
    Measure("sortino", "ratio", "ratio", "mean(r - MAR) sqrt(P) / sqrt(mean((r - MAR)-^2))", _FEWEST, _sortino),
    Measure("calmar", "ratio", "ratio", "cagr / |dd_max|", _FEWEST, _calmar),
)
