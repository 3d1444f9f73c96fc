"""Historical simulation: the present book on what happened."""

import numpy as np

from chandlery.measures import Returns
from chandlery.risk.tail import VarModel, tail_count


def _historical(returns: Returns, tail: float) -> tuple[float, float]:
    k = tail_count(returns.size, tail=tail)
    worst = np.partition(returns, k - 1)[:k]
    return -float(worst.max()), -float(worst.mean())


HISTORICAL = VarModel(
    "hs",
    "k = ceil(n a - 1e-9); VaR = -x_(k), ES = -mean(x_(1..k)), x sorted ascending",
    2,
    _historical,
)
