"""Klinger oscillator through its signal line."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import change, crossover, crossunder, ema, hlc3, volume, where
from chandlery.strategies.parameters import Int

_MOVE = change(hlc3)
# A sum with the move keeps the na of the first bar, which the averages must not count.
_SIGNED_VOLUME = where(_MOVE >= 0, volume, _MOVE * 0 - volume)
_OSCILLATOR = ema(_SIGNED_VOLUME, Param("fast")) - ema(_SIGNED_VOLUME, Param("slow"))
_SIGNAL_LINE = ema(_OSCILLATOR, Param("smoothing"))

STRATEGY = Strategy(
    name="klinger",
    version=1,
    family="volume",
    title="Klinger oscillator",
    doc="Volume counts up where the typical price does not fall, else down. Buy when the gap between its fast and slow "
    "exponential averages crosses above its own average; out, and short, when it crosses below. TradingView's "
    "simplified volume force, without Klinger's weight by cumulative range.",
    refs=("Klinger 1997, Identifying Trends with Volume Analysis, Technical Analysis of Stocks & Commodities 15",),
    params={
        "fast": Int(default=34, lo=10, hi=136, step=6),
        "slow": Int(default=55, lo=15, hi=215, step=10),
        "smoothing": Int(default=13, lo=4, hi=52, step=3),
    },
    constraints=(Param("fast") < Param("slow"),),
    let={"oscillator": _OSCILLATOR, "signal_line": _SIGNAL_LINE},
    long_entry=crossover(_OSCILLATOR, _SIGNAL_LINE),
    short_entry=crossunder(_OSCILLATOR, _SIGNAL_LINE),
)
