"""The standard normal law in plain floats."""

import math

from scipy.special import ndtr, ndtri

_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def density(x: float) -> float:
    """Return phi(x)."""
    return math.exp(-0.5 * x * x) / _ROOT_TWO_PI


def distribution(x: float) -> float:
    """Return Phi(x)."""
    return float(ndtr(x))


def quantile(probability: float) -> float:
    """Return Phi^-1(probability)."""
    return float(ndtri(probability))
