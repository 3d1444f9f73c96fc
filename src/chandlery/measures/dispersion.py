"""Measures of dispersion: how far returns scatter, and in which shape."""

import math

import numpy as np

from chandlery.measures.measure import Convention, Measure, Returns, is_flat
from chandlery.measures.measured import Status


def downside(returns: Returns, mar: float) -> float:
    """Return sqrt(mean((r - MAR)-^2)) per period; the denominator counts every observation."""
    return float(np.sqrt(np.mean(np.minimum(returns - mar, 0.0) ** 2)))


def standardised(returns: Returns) -> Returns | None:
    """Return (r - mean) / sd with the population sd (ddof 0), or None when the series is flat."""
    spread = float(returns.std())
    return None if is_flat(spread, returns) else (returns - returns.mean()) / spread


def _vol(returns: Returns, convention: Convention) -> float | Status:
    spread = float(returns.std(ddof=1))
    return Status.ZERO_VARIANCE if is_flat(spread, returns) else spread * math.sqrt(convention.periods_per_year)


def _downside_dev(returns: Returns, convention: Convention) -> float | Status:
    spread = downside(returns, convention.mar)
    return Status.NO_LOSS if is_flat(spread, returns) else spread * math.sqrt(convention.periods_per_year)


def _skew(returns: Returns, _: Convention) -> float | Status:
    scores = standardised(returns)
    return Status.ZERO_VARIANCE if scores is None else float(np.mean(scores**3))


def _kurtosis(returns: Returns, _: Convention) -> float | Status:
    scores = standardised(returns)
    return Status.ZERO_VARIANCE if scores is None else float(np.mean(scores**4)) - 3.0


def _autocorr_1(returns: Returns, _: Convention) -> float | Status:
    scores = standardised(returns)
    return Status.ZERO_VARIANCE if scores is None else float(scores[1:] @ scores[:-1]) / returns.size


DISPERSION = (
    Measure("vol", "dispersion", "fraction_pa", "sd(r, ddof 1) sqrt(P)", 2, _vol),
    Measure(
        "downside_dev",
        "dispersion",
        "fraction_pa",
        "sqrt(mean((r - MAR)-^2) P), denominator n",
        2,
        _downside_dev,
    ),
    Measure("skew", "dispersion", "ratio", "m3 / m2^1.5, population", 2, _skew),
    Measure("kurtosis", "dispersion", "ratio", "m4 / m2^2 - 3, population, excess", 2, _kurtosis),
    Measure("autocorr_1", "dispersion", "ratio", "sum (r_t - m)(r_{t-1} - m) / sum (r_t - m)^2", 3, _autocorr_1),
)
