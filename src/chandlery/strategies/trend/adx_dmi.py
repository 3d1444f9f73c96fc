"""Directional movement, where the trend is strong."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import dmi
from chandlery.strategies.parameters import Float, Int

_PLUS, _MINUS, _ADX = dmi(Param("length"), Param("length"))
_STRENGTH = Param("strength")
_IS_STRONG = _ADX > _STRENGTH

STRATEGY = Strategy(
    name="adx_dmi",
    version=1,
    family="trend",
    title="Directional movement with ADX filter",
    doc="Long when +DI is above -DI and the ADX above the strength level, so that there is a trend to follow; out when "
    "-DI rises above +DI, whatever the ADX. Short the other way round.",
    refs=("Wilder 1978, New Concepts in Technical Trading Systems",),
    params={
        "length": Int(default=14, lo=4, hi=56),
        "strength": Float(default=25.0, lo=12.5, hi=37.5, step=0.5),
    },
    let={"plus": _PLUS, "minus": _MINUS, "adx": _ADX},
    long_entry=(_PLUS > _MINUS) & _IS_STRONG,
    long_exit=_PLUS < _MINUS,
    short_entry=(_PLUS < _MINUS) & _IS_STRONG,
    short_exit=_PLUS > _MINUS,
)
