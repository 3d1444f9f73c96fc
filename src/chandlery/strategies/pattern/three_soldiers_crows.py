"""Three strong bars in a row."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, high, low, open_, valuewhen
from chandlery.strategies.parameters import Float

_RANGE = high - low
_LEAST_BODY = _RANGE * Param("body") / 100
_MOST_SHADOW = _RANGE * Param("shadow") / 100
_IS_WHITE = (close > open_) & (close - open_ >= _LEAST_BODY) & (high - close <= _MOST_SHADOW)
_IS_BLACK = (close < open_) & (open_ - close >= _LEAST_BODY) & (close - low <= _MOST_SHADOW)
_STEPS_UP = (close > close[1]) & (open_ > open_[1]) & (open_ <= close[1])
_STEPS_DOWN = (close < close[1]) & (open_ < open_[1]) & (open_ >= close[1])
_SOLDIERS = _IS_WHITE & _IS_WHITE[1] & _IS_WHITE[2] & _STEPS_UP & _STEPS_UP[1]
_CROWS = _IS_BLACK & _IS_BLACK[1] & _IS_BLACK[2] & _STEPS_DOWN & _STEPS_DOWN[1]
_SUPPORT = valuewhen(_SOLDIERS, low[2])
_RESISTANCE = valuewhen(_CROWS, high[2])

STRATEGY = Strategy(
    name="three_soldiers_crows",
    version=1,
    family="pattern",
    title="Three white soldiers, three black crows",
    doc="Long after three white bars in a row, each opening within the body before it, closing higher than it and near "
    "its own high, and mostly body. Out when a close falls below the low of the first of the last three soldiers, or "
    "after three black crows, the mirror image. Short after the crows, covered above the high of the first or after "
    "three soldiers. Body (at least) and shadow beyond the close (at most) are percent of the bar's range.",
    refs=(
        "Nison 1991, Japanese Candlestick Charting Techniques",
        "Bulkowski 2008, Encyclopedia of Candlestick Charts",
    ),
    params={
        "body": Float(default=50.0, lo=25.0, hi=75.0, step=2.5),
        "shadow": Float(default=25.0, lo=12.5, hi=37.5, step=2.5),
    },
    let={"support": _SUPPORT, "resistance": _RESISTANCE},
    long_entry=_SOLDIERS,
    long_exit=_CROWS | (close < _SUPPORT),
    short_entry=_CROWS,
    short_exit=_SOLDIERS | (close > _RESISTANCE),
)
