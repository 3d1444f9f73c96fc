"""Direction of Kaufman's adaptive moving average."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, kama
from chandlery.strategies.parameters import Int

_AVERAGE = kama(close, Param("length"), Param("fast"), Param("slow"))

STRATEGY = Strategy(
    name="kama",
    version=1,
    family="trend",
    title="Kaufman's adaptive moving average",
    doc="Long while the close is above the adaptive average, out (or short) while it is below. The average moves "
    "towards every close, so this is also the direction of its slope; it follows fast where price goes one way and "
    "hardly where it goes nowhere. Kaufman's filter on small turns is left out.",
    refs=("Kaufman 1995, Smarter Trading",),
    params={
        "length": Int(default=10, lo=3, hi=40),
        "fast": Int(default=2, lo=1, hi=8),
        "slow": Int(default=30, lo=8, hi=120, step=2),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"average": _AVERAGE},
    long_entry=close > _AVERAGE,
    short_entry=close < _AVERAGE,
)
