"""Ease of movement through zero."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import change, crossover, crossunder, high, hl2, low, sma, volume, where
from chandlery.strategies.parameters import Int

_MOVE = change(hl2)
# A bar without volume moved nothing; the quotient would be na and empty the window for length bars.
_EASE = where(volume > 0, _MOVE * (high - low) / volume, _MOVE * 0)
_AVERAGE = sma(_EASE * 10_000, Param("length"))

STRATEGY = Strategy(
    name="eom",
    version=1,
    family="volume",
    title="Ease of movement",
    doc="Buy when the average of the midpoint's move times the bar's range per volume rises through zero: price climbs "
    "on little volume. Out, and short, when it falls through zero.",
    refs=("Arms 1983, Volume Cycles in the Stock Market",),
    params={"length": Int(default=14, lo=4, hi=56)},
    let={"ease": _AVERAGE},
    long_entry=crossover(_AVERAGE, 0),
    short_entry=crossunder(_AVERAGE, 0),
)
