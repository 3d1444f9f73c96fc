"""Force index through zero."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import change, close, crossover, crossunder, ema, volume
from chandlery.strategies.parameters import Int

_FORCE = ema(change(close) * volume, Param("length"))

STRATEGY = Strategy(
    name="force_index",
    version=1,
    family="volume",
    title="Force index",
    doc="Buy when the exponential average of the change of the close times volume rises through zero; out, and short, "
    "when it falls through zero.",
    refs=("Elder 1993, Trading for a Living",),
    params={"length": Int(default=13, lo=4, hi=52)},
    let={"force": _FORCE},
    long_entry=crossover(_FORCE, 0),
    short_entry=crossunder(_FORCE, 0),
)
