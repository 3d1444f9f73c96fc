"""Internal bar strength: where the close lies in its bar."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, low
from chandlery.strategies.parameters import Float

_OVERSOLD = Param("oversold")
_OVERBOUGHT = Param("overbought")
_STRENGTH = (close - low) / (high - low)

STRATEGY = Strategy(
    name="ibs",
    version=1,
    family="mean_reversion",
    title="Internal bar strength",
    doc="Buy when the close lies in the lowest part of its bar, below oversold (0 is the low, 1 the high); out, and "
    "short, when it lies above overbought. A bar without range says nothing.",
    refs=("Pagonidis 2013, The IBS Effect: Mean Reversion in Equity ETFs",),
    params={
        "oversold": Float(default=0.2, lo=0.1, hi=0.3, step=0.01),
        "overbought": Float(default=0.8, lo=0.7, hi=0.9, step=0.01),
    },
    let={"strength": _STRENGTH},
    long_entry=_STRENGTH < _OVERSOLD,
    short_entry=_STRENGTH > _OVERBOUGHT,
)
