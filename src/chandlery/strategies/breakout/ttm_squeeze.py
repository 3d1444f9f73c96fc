"""Release of a squeeze: Bollinger bands leave the Keltner channel."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import (
    close,
    falling,
    high,
    highest,
    linreg,
    low,
    lowest,
    rising,
    sma,
    stdev,
    tr,
)
from chandlery.strategies.parameters import Float, Int

_LENGTH = Param("length")
# Both channels have the same middle, so the bands lie inside the channel where they reach less far.
_IS_TIGHT = Param("bb_factor") * stdev(close, _LENGTH) < Param("kc_factor") * sma(tr(), _LENGTH)
_IS_RELEASED = _IS_TIGHT[1] & ~_IS_TIGHT
_MIDPOINT = ((highest(high, _LENGTH) + lowest(low, _LENGTH)) / 2 + sma(close, _LENGTH)) / 2
_THRUST = linreg(close - _MIDPOINT, _LENGTH)

STRATEGY = Strategy(
    name="ttm_squeeze",
    version=1,
    family="breakout",
    title="TTM squeeze",
    doc="Buy on the first bar on which the Bollinger bands no longer lie inside the Keltner channel, if momentum (the "
    "end of the regression of the close around the channel's midpoint) is above zero; out when momentum has fallen "
    "two bars in a row. Short if it is below zero, covered when it has risen two bars in a row.",
    refs=("Carter 2005, Mastering the Trade, chapter 11",),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "bb_factor": Float(default=2.0, lo=1.0, hi=6.0, step=0.25),
        "kc_factor": Float(default=1.5, lo=0.75, hi=4.5, step=0.25),
    },
    let={"thrust": _THRUST},
    long_entry=_IS_RELEASED & (_THRUST > 0),
    long_exit=falling(_THRUST, 2),
    short_entry=_IS_RELEASED & (_THRUST < 0),
    short_exit=rising(_THRUST, 2),
)
