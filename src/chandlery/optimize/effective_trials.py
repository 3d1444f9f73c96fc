"""Effective trials: how many independent attempts correlated candidates amount to.

Source: Bailey, Lopez de Prado, The Deflated Sharpe Ratio, 2014, appendix.
"""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.errors import InvalidInput
from chandlery.optimize.blocks import BlockReturns

_COLUMNS_AT_ONCE = 20_000


def mean_correlation(returns: ArrayLike | BlockReturns) -> float | None:
    """Return the mean correlation of all pairs of candidates, of bar returns `[T, K]` or of mean block returns.

    Candidates that never vary are left out; None if fewer than 2 vary. One pass: with standardised columns `z` the
    mean over pairs is `(|sum z|^2 / T - K) / (K (K - 1))`.

    Raises:
        InvalidInput: for a matrix of another shape, or a number that is not finite.
    """
    if isinstance(returns, BlockReturns):
        rows = returns.sums[returns.bars > 0.0]
        scale = returns.bars[returns.bars > 0.0][:, None]
    else:
        rows, scale = np.asarray(returns, dtype=np.float64), np.ones((1, 1))
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise InvalidInput(f"Returns were of shape {rows.shape}; a matrix [T, K] of finite numbers is needed.")
    total, varying = np.zeros(rows.shape[0]), 0
    for first in range(0, rows.shape[1], _COLUMNS_AT_ONCE):
        values = rows[:, first : first + _COLUMNS_AT_ONCE] / scale
        centred = values - values.mean(axis=0)
        spread = np.sqrt(np.mean(centred * centred, axis=0))
        kept = spread > 1e-12 * np.abs(values).max(axis=0, initial=0.0)
        total += (centred[:, kept] / spread[kept]).sum(axis=1)
        varying += int(np.count_nonzero(kept))
    if varying < 2:
        return None
    return float((total @ total / total.size - varying) / (varying * (varying - 1.0)))


def effective_trials(returns: ArrayLike | BlockReturns, *, trials: int | None = None) -> float | None:
    """Return `rho + (1 - rho) N`: attempts after their mean correlation `rho`, which is taken within 0 and 1.

    N is `trials`, or the number of candidates. None where there is no correlation (see `mean_correlation`).

    Raises:
        InvalidInput: as `mean_correlation`.
    """
    rho = mean_correlation(returns)
    if rho is None:
        return None
    count = trials if trials is not None else _candidates(returns)
    rho = min(max(rho, 0.0), 1.0)
    return rho + (1.0 - rho) * count


def _candidates(returns: ArrayLike | BlockReturns) -> int:
    return returns.candidates if isinstance(returns, BlockReturns) else int(np.asarray(returns).shape[1])
