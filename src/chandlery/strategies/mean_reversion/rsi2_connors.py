"""Pullback in the direction of the long average, told by a two-bar RSI."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, rsi, sma
from chandlery.strategies.parameters import Float, Int

_OVERSOLD = Param("oversold")
_OVERBOUGHT = Param("overbought")
_RSI = rsi(close, Param("length"))
_TREND = sma(close, Param("trend_length"))
_TARGET = sma(close, Param("exit_length"))

STRATEGY = Strategy(
    name="rsi2_connors",
    version=1,
    family="mean_reversion",
    title="Connors RSI-2",
    doc="Buy when the two-bar RSI is below oversold while the close is above its long average; out when the close is "
    "above its short average. Short when the RSI is above overbought below the long average, covered below the short "
    "one.",
    refs=("Connors, Alvarez 2009, Short Term Trading Strategies That Work, chapter 9",),
    params={
        "length": Int(default=2, lo=1, hi=8),
        "oversold": Float(default=10.0, lo=5.0, hi=15.0, step=2.5),
        "overbought": Float(default=90.0, lo=85.0, hi=95.0, step=2.5),
        "trend_length": Int(default=200, lo=50, hi=800, step=50),
        "exit_length": Int(default=5, lo=2, hi=20),
    },
    constraints=(Param("exit_length") < Param("trend_length"),),
    let={"strength": _RSI, "trend": _TREND, "target": _TARGET},
    long_entry=(close > _TREND) & (_RSI < _OVERSOLD),
    long_exit=close > _TARGET,
    short_entry=(close < _TREND) & (_RSI > _OVERBOUGHT),
    short_exit=close < _TARGET,
)
