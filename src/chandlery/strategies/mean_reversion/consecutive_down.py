"""Closes in a row in one direction, faded."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import barssince, close
from chandlery.strategies.parameters import Int

_BARS_DOWN = Param("bars_down")
_BARS_UP = Param("bars_up")
_DOWNS = barssince(~(close < close[1]))
_UPS = barssince(~(close > close[1]))

STRATEGY = Strategy(
    name="consecutive_down",
    version=1,
    family="mean_reversion",
    title="Consecutive down closes",
    doc="Buy after bars_down closes in a row, each below the one before; out, and short, after bars_up in a row, each "
    "above the one before. It counts as the built-in does and trades the other way: the built-in follows the run.",
    refs=(
        "TradingView built-in Consecutive Up/Down Strategy, sides exchanged",
        "Connors, Sen 2004, How Markets Really Work",
    ),
    params={
        "bars_down": Int(default=3, lo=1, hi=12),
        "bars_up": Int(default=3, lo=1, hi=12),
    },
    let={"downs": _DOWNS, "ups": _UPS},
    long_entry=_DOWNS >= _BARS_DOWN,
    short_entry=_UPS >= _BARS_UP,
)
