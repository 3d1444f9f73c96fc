"""The RiskMetrics model: a normal law whose variance forgets at 6 % a day."""

import numpy as np

from chandlery.measures import Returns, Status
from chandlery.risk.models.normal import normal_tail
from chandlery.risk.tail import VarModel

DECAY = 0.94
SEED_LENGTH = 50


def ewma_variance(returns: Returns) -> float:
    """Return the variance forecast for the period after the last of `returns` [n >= 50].

    s2_t = 0.94 s2_{t-1} + 0.06 r_{t-1}^2, started with the variance (ddof 1) of the first 50 returns as the
    forecast for the 51st (RiskMetrics 1996).
    """
    later = returns[SEED_LENGTH:]
    weights = (1.0 - DECAY) * DECAY ** np.arange(later.size - 1, -1, -1)
    return float(returns[:SEED_LENGTH].var(ddof=1) * DECAY**later.size + weights @ later**2)


def _ewma(returns: Returns, tail: float) -> tuple[float, float] | Status:
    spread = ewma_variance(returns) ** 0.5
    return normal_tail(mean=0.0, spread=spread, tail=tail) if spread > 0.0 else Status.ZERO_VARIANCE


EWMA = VarModel(
    "ewma",
    "normal with m = 0, s2_t = 0.94 s2_{t-1} + 0.06 r_{t-1}^2, seed = variance of the first 50 (RiskMetrics)",
    SEED_LENGTH,
    _ewma,
)
