"""Overfitting statistics of a Sharpe ratio: probabilistic, deflated, and the track record it needs.

All ratios are per bar, not annualised. Skewness and kurtosis are population estimates; kurtosis of a normal
distribution is 3. `n` counts returns. Sources: Bailey, Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012
(psr, min_track_record_length); The Deflated Sharpe Ratio, 2014 (expected_max_sharpe, deflated_sharpe).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput

_NORMAL = NormalDist()
_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnShape:
    """Moments of a return series: Sharpe ratio per bar (ddof 1), skewness, kurtosis, number of returns."""

    sharpe: float
    skew: float
    kurtosis: float
    n: int


def return_shape(returns: ArrayLike) -> ReturnShape | None:
    """Return the moments of bar returns, None where they have no variance.

    Raises:
        InvalidInput: for fewer than 3 returns, or one that is not finite.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1 or values.size < 3 or not np.isfinite(values).all():
        raise InvalidInput(f"Returns were of shape {values.shape}; at least 3 finite ones in one row are needed.")
    centred = values - values.mean()
    spread = math.sqrt(float(np.mean(centred**2)))
    if spread <= 1e-14 * max(1e-300, float(np.abs(values).max())):
        return None
    return ReturnShape(
        sharpe=float(values.mean() / values.std(ddof=1)),
        skew=float(np.mean(centred**3)) / spread**3,
        kurtosis=float(np.mean(centred**4)) / spread**4,
        n=int(values.size),
    )


def psr(sharpe: float, *, benchmark: float, n: int, skew: float, kurtosis: float) -> float:
    """Probabilistic Sharpe ratio: probability that the true ratio exceeds `benchmark`, 0 to 1.

    `F[(SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1)/4 SR^2)]`.

    Raises:
        InvalidInput: for fewer than 2 returns, or moments that no distribution has.
    """
    if n < 2:
        raise InvalidInput(f"n was {n}; the probabilistic Sharpe ratio takes at least 2 returns.")
    error = math.sqrt(_variance_factor(sharpe, skew=skew, kurtosis=kurtosis))
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(n - 1) / error)


def min_track_record_length(
    sharpe: float, *, benchmark: float, skew: float, kurtosis: float, confidence: float = 0.95
) -> float:
    """Number of returns it takes until `psr` reaches `confidence`; infinite if `sharpe` is not above `benchmark`.

    `1 + (1 - g3 SR + (g4 - 1)/4 SR^2) (z / (SR - SR*))^2`.

    Raises:
        InvalidInput: for a confidence outside (0, 1), or moments that no distribution has.
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidInput(f"confidence was {confidence}; it lies between 0 and 1, both excluded.")
    factor = _variance_factor(sharpe, skew=skew, kurtosis=kurtosis)
    if sharpe <= benchmark:
        return math.inf
    return 1.0 + factor * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def expected_max_sharpe(*, trials: int, variance: float) -> float:
    """Sharpe ratio the best of `trials` worthless candidates is expected to show; 0 for a single one.

    `variance` is that of the candidates' ratios (ddof 1).
    `sqrt(V) ((1 - c) F^-1(1 - 1/N) + c F^-1(1 - 1/(N e)))`, c the Euler-Mascheroni constant.

    Raises:
        InvalidInput: for no trial or a negative variance.
    """
    if trials < 1 or not variance >= 0.0:
        raise InvalidInput(f"trials was {trials}, variance {variance}; at least 1 trial and no negative variance.")
    if trials == 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER) * first + _EULER * second)


def deflated_sharpe(sharpe: float, *, trials: int, variance: float, n: int, skew: float, kurtosis: float) -> float:
    """Deflated Sharpe ratio: `psr` against the ratio luck alone would show over that many trials, 0 to 1.

    Raises:
        InvalidInput: as `psr` and `expected_max_sharpe`.
    """
    benchmark = expected_max_sharpe(trials=trials, variance=variance)
    return psr(sharpe, benchmark=benchmark, n=n, skew=skew, kurtosis=kurtosis)


def _variance_factor(sharpe: float, *, skew: float, kurtosis: float) -> float:
    factor = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    if not factor > 0.0:
        raise InvalidInput(
            f"Sharpe {sharpe}, skewness {skew} and kurtosis {kurtosis} belong to no distribution; kurtosis is not "
            "excess kurtosis (a normal one is 3) and is at least skewness squared plus 1."
        )
    return factor
