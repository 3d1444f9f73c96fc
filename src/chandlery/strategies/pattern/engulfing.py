"""Engulfing bars against the trend."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import absolute, close, ema, high, highest, low, lowest, open_, sma, valuewhen
from chandlery.strategies.parameters import Int

_BODY = absolute(close - open_)
_USUAL = ema(_BODY, Param("body_length"))
_AVERAGE = sma(close, Param("trend"))
_GROWS = (_BODY > _USUAL) & (_BODY[1] < _USUAL[1])
_TURNS_UP = (close > open_) & (close[1] < open_[1]) & (close >= open_[1]) & (open_ <= close[1])
_TURNS_DOWN = (close < open_) & (close[1] > open_[1]) & (close <= open_[1]) & (open_ >= close[1])
_BULLISH = _TURNS_UP & _GROWS & (close < _AVERAGE)
_BEARISH = _TURNS_DOWN & _GROWS & (close > _AVERAGE)
_SUPPORT = valuewhen(_BULLISH, lowest(low, 2))
_RESISTANCE = valuewhen(_BEARISH, highest(high, 2))

STRATEGY = Strategy(
    name="engulfing",
    version=1,
    family="pattern",
    title="Engulfing pattern",
    doc="Long after a bullish engulfing pattern below the moving average: a small black body, then a large white one "
    "that covers it, small and large against the average body. Out when a close falls below the low of the last such "
    "pattern, or at a bearish one. Short after a bearish engulfing pattern above the average, covered above its high "
    "or at a bullish one.",
    refs=(
        "Nison 1991, Japanese Candlestick Charting Techniques",
        "TradingView built-in candlestick pattern Engulfing, trend rule SMA50",
    ),
    params={
        "trend": Int(default=50, lo=12, hi=200, step=2),
        "body_length": Int(default=14, lo=4, hi=56),
    },
    let={"average": _AVERAGE, "support": _SUPPORT, "resistance": _RESISTANCE},
    long_entry=_BULLISH,
    long_exit=_BEARISH | (close < _SUPPORT),
    short_entry=_BEARISH,
    short_exit=_BULLISH | (close > _RESISTANCE),
)
