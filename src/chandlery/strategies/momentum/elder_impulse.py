"""Impulse: average and MACD histogram move the same way."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import change, close, ema, macd, maximum, minimum
from chandlery.strategies.parameters import Int

_INERTIA = ema(close, Param("length"))
_LINE, _SIGNAL_LINE, _HISTOGRAM = macd(close, Param("fast"), Param("slow"), Param("smoothing"))
# Both rise if the smaller change is above zero; undefined as long as either is, which two comparisons would not be.
_WEAKER = minimum(change(_INERTIA), change(_HISTOGRAM))
_STRONGER = maximum(change(_INERTIA), change(_HISTOGRAM))

STRATEGY = Strategy(
    name="elder_impulse",
    version=1,
    family="momentum",
    title="Elder impulse",
    doc="Buy when the exponential average and the MACD histogram both rise (a green bar); out as soon as either falls. "
    "Short when both fall (a red bar), covered as soon as either rises.",
    refs=("Elder 2002, Come Into My Trading Room, chapter 6",),
    params={
        "length": Int(default=13, lo=4, hi=52, step=3),
        "fast": Int(default=12, lo=3, hi=48, step=3),
        "slow": Int(default=26, lo=8, hi=104, step=6),
        "smoothing": Int(default=9, lo=3, hi=36, step=3),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"inertia": _INERTIA, "histogram": _HISTOGRAM},
    long_entry=_WEAKER > 0,
    long_exit=_WEAKER < 0,
    short_entry=_STRONGER < 0,
    short_exit=_STRONGER > 0,
)
