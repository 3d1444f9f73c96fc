"""What one unit grows to, and how far it stands under its peak."""

import numpy as np

from chandlery.measures.measure import NOISE, Returns


def wealth(returns: Returns) -> Returns | None:
    """Return W = cumprod(1 + r) [n], or None when a period lost more than everything.

    Compounding through r < -1 flips the sign of all that follows; such a series has no wealth path.
    """
    return None if (returns < -1.0).any() else np.cumprod(1.0 + returns, dtype=np.float64)


def drawdowns(returns: Returns) -> Returns | None:
    """Return W / max(1, cummax W) - 1 [n], each <= 0, or None without a wealth path.

    The unit invested before the first return counts as a peak. Depths under 1e-12 are float noise and become 0.
    """
    path = wealth(returns)
    if path is None:
        return None
    depth = path / np.maximum(1.0, np.maximum.accumulate(path)) - 1.0
    return np.where(depth > -NOISE, 0.0, depth)
