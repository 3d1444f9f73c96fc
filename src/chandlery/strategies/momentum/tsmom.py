"""Time series momentum: the sign of the return of the last year."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, mom
from chandlery.strategies.parameters import Int

_MOVE = mom(close, Param("lookback"))

STRATEGY = Strategy(
    name="tsmom",
    version=1,
    family="momentum",
    title="Time series momentum",
    doc="Long while the close is above the close lookback bars ago (252 daily bars, a year), short while it is below. "
    "The paper rebalances once a month and scales by volatility; this decides at every close and is all-in.",
    refs=("Moskowitz, Ooi, Pedersen 2012, Time Series Momentum, Journal of Financial Economics 104",),
    params={"lookback": Int(default=252, lo=63, hi=1008, step=21)},
    let={"move": _MOVE},
    long_entry=_MOVE > 0,
    short_entry=_MOVE < 0,
)
