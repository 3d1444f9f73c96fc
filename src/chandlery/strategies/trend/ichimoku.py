"""The three roles of the Ichimoku chart in agreement."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Expression, Param
from chandlery.strategies.operations import close, high, highest, low, lowest, maximum, minimum
from chandlery.strategies.parameters import Int

_AHEAD = 25
"""Bars by which cloud and lagging line are shifted: 26 counting the bar itself, as charts draw them."""


def _middle(length: Expression) -> Expression:
    return (highest(high, length) + lowest(low, length)) / 2


_CONVERSION = _middle(Param("conversion"))
_BASE = _middle(Param("base"))
_LEADING_A = ((_CONVERSION + _BASE) / 2)[_AHEAD]
_LEADING_B = _middle(Param("span"))[_AHEAD]
_CLOUD_TOP = maximum(_LEADING_A, _LEADING_B)
_CLOUD_BOTTOM = minimum(_LEADING_A, _LEADING_B)

STRATEGY = Strategy(
    name="ichimoku",
    version=1,
    family="trend",
    title="Ichimoku, three roles",
    doc="Long when the conversion line is above the base line, the close above the cloud drawn 26 bars ago, and the "
    "lagging line above price (the close above that of 26 bars ago); out when the conversion line falls below the base "
    "line. Short when all three have turned the other way, covered when the conversion line rises above the base line.",
    refs=("Hosoda 1969, Ichimoku Kinko Hyo", "Elliott 2007, Ichimoku Charts"),
    params={
        "conversion": Int(default=9, lo=3, hi=36),
        "base": Int(default=26, lo=8, hi=104, step=2),
        "span": Int(default=52, lo=16, hi=208, step=4),
    },
    constraints=(Param("conversion") < Param("base"), Param("base") < Param("span")),
    let={
        "conversion_line": _CONVERSION,
        "base_line": _BASE,
        "cloud_top": _CLOUD_TOP,
        "cloud_bottom": _CLOUD_BOTTOM,
    },
    long_entry=(_CONVERSION > _BASE) & (close > _CLOUD_TOP) & (close > close[_AHEAD]),
    long_exit=_CONVERSION < _BASE,
    short_entry=(_CONVERSION < _BASE) & (close < _CLOUD_BOTTOM) & (close < close[_AHEAD]),
    short_exit=_CONVERSION > _BASE,
)
