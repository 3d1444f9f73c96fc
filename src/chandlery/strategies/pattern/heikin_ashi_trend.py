"""Colour of the Heikin-Ashi bars."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import heikin_ashi, highest, lowest
from chandlery.strategies.parameters import Int

_OPEN, _CLOSE = heikin_ashi()
_BODY = _CLOSE - _OPEN

STRATEGY = Strategy(
    name="heikin_ashi_trend",
    version=1,
    family="pattern",
    title="Heikin-Ashi trend",
    doc="Long after confirm Heikin-Ashi bars in a row that close above their open, out at the first that closes below. "
    "Short after as many that close below, covered at the first that closes above. Fills are at real prices.",
    refs=("Valcu 2004, Using the Heikin-Ashi Technique",),
    params={"confirm": Int(default=2, lo=1, hi=8)},
    let={"ha_open": _OPEN, "ha_close": _CLOSE},
    long_entry=lowest(_BODY, Param("confirm")) > 0,
    long_exit=_BODY < 0,
    short_entry=highest(_BODY, Param("confirm")) < 0,
    short_exit=_BODY > 0,
)
