"""Return to the volume-weighted average price of the day."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import barssince, close, hlc3, new_day, vwap, vwap_stdev
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Session

_VWAP = vwap(hlc3)
_REACH = Param("factor") * vwap_stdev(hlc3)
_UPPER = _VWAP + _REACH
_LOWER = _VWAP - _REACH
# The first bars of a day have no meaningful deviation; a daily bar is always the first of its day.
_IS_SETTLED = barssince(new_day) >= Param("settling")

STRATEGY = Strategy(
    name="vwap_revert",
    version=1,
    family="mean_reversion",
    title="VWAP reversion",
    doc="Within the day, once settling bars have passed, buy when the close is more than factor volume-weighted "
    "deviations below the VWAP of the day; out above the VWAP. Short more than factor above it, covered below it. "
    "Entries from 9:30 to 15:30 of the exchange's time, flat afterwards. For bars of 15 minutes or less; daily bars "
    "never trade.",
    refs=("Berkowitz, Logue, Noser 1988, The Total Cost of Transactions on the NYSE, Journal of Finance 43, for VWAP",),
    params={
        "factor": Float(default=2.0, lo=1.0, hi=6.0, step=0.25),
        "settling": Int(default=30, lo=10, hi=120, step=10),
    },
    let={"fair": _VWAP, "upper": _UPPER, "lower": _LOWER},
    long_entry=(close < _LOWER) & _IS_SETTLED,
    long_exit=(close > _VWAP) & _IS_SETTLED,
    short_entry=(close > _UPPER) & _IS_SETTLED,
    short_exit=(close < _VWAP) & _IS_SETTLED,
    session=Session(start=570, end=930, is_flat_outside=True),
)
