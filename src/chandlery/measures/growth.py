"""Measures of return: what was earned and how often."""

import numpy as np

from chandlery.measures.measure import Convention, Measure, Returns
from chandlery.measures.measured import Status
from chandlery.measures.wealth import wealth


def _cum(returns: Returns, _: Convention) -> float | Status:
    path = wealth(returns)
    return Status.INFEASIBLE if path is None else float(path[-1]) - 1.0


def _cagr(returns: Returns, convention: Convention) -> float | Status:
    path = wealth(returns)
    if path is None:
        return Status.INFEASIBLE
    return float(np.power(path[-1], convention.periods_per_year / returns.size)) - 1.0


def _mean_ann(returns: Returns, convention: Convention) -> float:
    return float(returns.mean()) * convention.periods_per_year


def _best(returns: Returns, _: Convention) -> float:
    return float(returns.max())


def _worst(returns: Returns, _: Convention) -> float:
    return float(returns.min())


def _hit_rate(returns: Returns, _: Convention) -> float:
    return float((returns > 0.0).mean())


GROWTH = (
    Measure("cum", "return", "fraction", "W_n - 1, W = cumprod(1 + r)", 1, _cum),
    Measure("cagr", "return", "fraction_pa", "W_n^(P/n) - 1", 1, _cagr),
    Measure("mean_ann", "return", "fraction_pa", "mean(r) P", 1, _mean_ann),
    Measure("best", "return", "fraction", "max r", 1, _best),
    Measure("worst", "return", "fraction", "min r", 1, _worst),
    Measure("hit_rate", "return", "fraction", "share of r > 0", 1, _hit_rate),
)
