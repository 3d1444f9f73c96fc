"""Pruning: giving up a candidate after the first quarter of the bars, by the median rule (Golovin et al. 2017).

Worth it only where one evaluation is dear; a candidate given up has cost a quarter. The rule is that of Optuna's
`MedianPruner`: given up is what is below the median of the completed candidates at the same point. It looks at
whole batches before, never within one, so that any worker decides alike.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chandlery.optimize.batches import STATES, Batch, State

PRUNES_FROM_BARS = 50_000
"""Fewer bars are neither dear enough nor is a quarter of them telling."""

_STARTUP = 20
"""Completed candidates before any is given up."""

_SHARE = 4


def head_bars(bars: int) -> int:
    """Return the bars of the leading quarter: exactly those of the first quarter of the blocks."""
    return -(-bars // _SHARE)


def head_sharpes(moments: NDArray[np.float64], *, bars: int) -> NDArray[np.float64]:
    """Return the Sharpe ratio per bar `[n]` (ddof 0) over the leading quarter, NaN without variance.

    `moments` `[n, blocks, 4]` of a run over all `bars` bars.
    """
    return _sharpes(moments[:, : moments.shape[1] // _SHARE], count=head_bars(bars) - 1)


def head_moments(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return moments of a run over the leading quarter as blocks of the whole: zero after the quarter.

    A bar at the edge of a block may be counted to its neighbour.
    """
    count, blocks, powers = moments.shape
    placed = np.zeros_like(moments)
    placed[:, : blocks // _SHARE] = moments.reshape(count, blocks // _SHARE, _SHARE, powers).sum(axis=2)
    return placed


def is_pruned(moments: NDArray[np.float64], earlier: Sequence[Batch], *, bars: int) -> NDArray[np.bool_]:
    """Return, per candidate, whether it is given up; `moments` are of a run over the leading quarter.

    A candidate without a ratio there (no trade yet) is never given up.
    """
    complete = [batch.moments[batch.states == STATES.index(State.COMPLETE)] for batch in earlier]
    known = head_sharpes(np.concatenate(complete), bars=bars) if complete else np.empty(0)
    known = known[np.isfinite(known)]
    if known.size < _STARTUP:
        return np.zeros(moments.shape[0], dtype=np.bool_)
    own = _sharpes(moments, count=head_bars(bars) - 1)
    return np.isfinite(own) & (own < np.median(known))


def _sharpes(moments: NDArray[np.float64], *, count: int) -> NDArray[np.float64]:
    total, squares = moments[:, :, 0].sum(axis=1), moments[:, :, 1].sum(axis=1)
    mean = total / count
    variance = squares / count - mean**2
    has_spread = variance > 1e-18
    ratios: NDArray[np.float64] = np.full_like(mean, np.nan)
    np.divide(mean, np.sqrt(np.where(has_spread, variance, 1.0)), where=has_spread, out=ratios)
    return ratios
