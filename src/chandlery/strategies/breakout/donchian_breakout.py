"""Breakout of the Donchian channel."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, highest, low, lowest
from chandlery.strategies.parameters import Int

_UPPER = highest(high, Param("entry_length"))[1]
_LOWER = lowest(low, Param("exit_length"))[1]
_SHORT_TRIGGER = lowest(low, Param("entry_length"))[1]
_SHORT_COVER = highest(high, Param("exit_length"))[1]

STRATEGY = Strategy(
    name="donchian_breakout",
    version=1,
    family="breakout",
    title="Donchian breakout",
    doc="Long when the close exceeds the highest high of the previous entry_length bars, out when it falls below the "
    "lowest low of the previous exit_length bars; short the other way round.",
    refs=("Donchian 1960", "Faith 2003, the original Turtle rules, without stops and pyramiding"),
    params={
        "entry_length": Int(default=20, lo=5, hi=80),
        "exit_length": Int(default=10, lo=3, hi=40),
    },
    let={"upper": _UPPER, "lower": _LOWER},
    long_entry=close > _UPPER,
    long_exit=close < _LOWER,
    short_entry=close < _SHORT_TRIGGER,
    short_exit=close > _SHORT_COVER,
)
