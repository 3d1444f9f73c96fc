"""Who carries the tail: historical ES by asset."""

import numpy as np

from chandlery.measures import Returns
from chandlery.risk.history import Panel
from chandlery.risk.tail import tail_count, tail_of


def component_es(contributions: Panel, *, returns: Returns, level: float) -> Returns:
    """Return each asset's share of the historical ES [assets], positive = adds to the loss.

    `contributions` [n, assets] sum by row to `returns` [n]. Component i = -mean of its contributions over the k
    worst days of the book, k = ceil(n a - 1e-9), ties to the earlier day; the components sum to the ES of `hs`.

    Raises:
        InvalidInput: when `level` is not within (0.5, 1).
    """
    worst = np.argsort(returns, kind="stable")[: tail_count(returns.size, tail=tail_of(level))]
    losses = -contributions[worst]
    shares: Returns = losses.mean(axis=0) + 0.0  # plus zero: an idle asset reads 0, not -0
    return shares
