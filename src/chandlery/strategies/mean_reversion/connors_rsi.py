"""ConnorsRSI: short RSI, RSI of the streak and rank of the last return, averaged."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import barssince, close, percentrank, roc, rsi
from chandlery.strategies.parameters import Float, Int

_OVERSOLD = Param("oversold")
_OVERBOUGHT = Param("overbought")
# Bars in a row with a higher close, minus bars in a row with a lower one; one of the two is always zero.
_STREAK = barssince(~(close > close[1])) - barssince(~(close < close[1]))
_CONNORS_RSI = (
    rsi(close, Param("length"))
    + rsi(_STREAK, Param("streak_length"))
    + percentrank(roc(close, 1), Param("rank_length"))
) / 3

STRATEGY = Strategy(
    name="connors_rsi",
    version=1,
    family="mean_reversion",
    title="ConnorsRSI",
    doc="Buy while ConnorsRSI is below oversold; out, and short, when it is above overbought. It averages a short RSI, "
    "the RSI of the streak of rising or falling closes, and the percent rank of the last return.",
    refs=("Connors, Alvarez 2012, An Introduction to ConnorsRSI",),
    params={
        "length": Int(default=3, lo=1, hi=12),
        "streak_length": Int(default=2, lo=1, hi=8),
        "rank_length": Int(default=100, lo=25, hi=400, step=25),
        "oversold": Float(default=10.0, lo=5.0, hi=15.0, step=2.5),
        "overbought": Float(default=90.0, lo=85.0, hi=95.0, step=2.5),
    },
    let={"streak": _STREAK, "strength": _CONNORS_RSI},
    long_entry=_CONNORS_RSI < _OVERSOLD,
    short_entry=_CONNORS_RSI > _OVERBOUGHT,
)
