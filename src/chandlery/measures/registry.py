"""The measures by name, in the order reports print them."""

from types import MappingProxyType

from chandlery.measures.dispersion import DISPERSION
from chandlery.measures.drawdown import DRAWDOWN
from chandlery.measures.growth import GROWTH
from chandlery.measures.measure import Returns
from chandlery.measures.measured import Measured
from chandlery.measures.ratio import RATIO

MEASURES = MappingProxyType({entry.measure_id: entry for entry in (*GROWTH, *DISPERSION, *DRAWDOWN, *RATIO)})
"""Every measure by `measure_id`; read-only."""


def measure_all(
    returns: Returns, *, periods_per_year: float, risk_free: float = 0.0, mar: float = 0.0
) -> dict[str, Measured]:
    """Return every registered measure of `returns` [n], in registry order.

    Raises:
        InvalidInput: when `returns` has not one dimension or the convention is not finite.
    """
    return {
        name: entry(returns, periods_per_year=periods_per_year, risk_free=risk_free, mar=mar)
        for name, entry in MEASURES.items()
    }
