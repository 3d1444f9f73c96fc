"""Two groups of averages that part."""

from functools import reduce

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Expression, Param
from chandlery.strategies.operations import close, ema, floor, maximum, minimum
from chandlery.strategies.parameters import Float

_TRADERS = (3, 5, 8, 10, 12, 15)
_INVESTORS = (30, 35, 40, 45, 50, 60)


def _group(lengths: tuple[int, ...], scale: Expression) -> list[Expression]:
    """Return the averages of one group, their lengths times `scale` to the nearest whole number."""
    return [ema(close, floor(length * scale + 0.5)) for length in lengths]


_SHORT_GROUP = _group(_TRADERS, Param("short_scale"))
_LONG_GROUP = _group(_INVESTORS, Param("long_scale"))
_SHORT_LOW, _SHORT_HIGH = reduce(minimum, _SHORT_GROUP), reduce(maximum, _SHORT_GROUP)
_LONG_LOW, _LONG_HIGH = reduce(minimum, _LONG_GROUP), reduce(maximum, _LONG_GROUP)

STRATEGY = Strategy(
    name="gmma",
    version=1,
    family="trend",
    title="Guppy multiple moving average",
    doc="Six exponential averages of 3 to 15 bars stand for traders, six of 30 to 60 for investors. Long when the "
    "lowest of the first group is above the highest of the second, out when it has fallen below the lowest of the "
    "second. Short when the highest of the first group is below the lowest of the second, covered when it has risen "
    "above the highest. The scales multiply the lengths of a group.",
    refs=("Guppy 2004, Trend Trading",),
    params={
        "short_scale": Float(default=1.0, lo=0.5, hi=3.0, step=0.1),
        "long_scale": Float(default=1.0, lo=0.5, hi=3.0, step=0.1),
    },
    constraints=(Param("short_scale") * 15 < Param("long_scale") * 30,),
    let={"short_low": _SHORT_LOW, "short_high": _SHORT_HIGH, "long_low": _LONG_LOW, "long_high": _LONG_HIGH},
    long_entry=_SHORT_LOW > _LONG_HIGH,
    long_exit=_SHORT_LOW < _LONG_LOW,
    short_entry=_SHORT_HIGH < _LONG_LOW,
    short_exit=_SHORT_HIGH > _LONG_HIGH,
)
