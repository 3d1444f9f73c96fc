"""Crossing of the vortex lines."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import crossover, crossunder, vortex
from chandlery.strategies.parameters import Int

_PLUS, _MINUS = vortex(Param("length"))

STRATEGY = Strategy(
    name="vortex",
    version=1,
    family="trend",
    title="Vortex crossing",
    doc="Long when the upward vortex line (+VI) crosses above the downward one (-VI), out (or short) when it crosses "
    "below. At the market; the authors' stop order at the extreme of the bar of the crossing is left out.",
    refs=("Botes, Siepman 2010, The Vortex Indicator",),
    params={"length": Int(default=14, lo=4, hi=56)},
    let={"plus": _PLUS, "minus": _MINUS},
    long_entry=crossover(_PLUS, _MINUS),
    short_entry=crossunder(_PLUS, _MINUS),
)
