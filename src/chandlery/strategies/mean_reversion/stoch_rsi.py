"""Crossing of the stochastic lines of the RSI at the extremes."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, rsi, sma, stoch
from chandlery.strategies.parameters import Float, Int

_OVERSOLD = Param("oversold")
_OVERBOUGHT = Param("overbought")
_RSI = rsi(close, Param("length"))
_K = sma(stoch(_RSI, _RSI, _RSI, Param("stoch_length")), Param("smooth_k"))
_D = sma(_K, Param("smooth_d"))
# Both lines rest at 0 or 100 for bars on end; comparisons, unlike crosses, do not see the rounding errors there.
_CROSSES_UP = (_K > _D) & (_K <= _D)[1]
_CROSSES_DOWN = (_K < _D) & (_K >= _D)[1]

STRATEGY = Strategy(
    name="stoch_rsi",
    version=1,
    family="mean_reversion",
    title="Stochastic RSI",
    doc="Buy when %K, the smoothed place of the RSI in its own range, crosses above its average %D below oversold; "
    "out, and short, when it crosses below %D above overbought.",
    refs=("Chande, Kroll 1994, The New Technical Trader",),
    params={
        "length": Int(default=14, lo=4, hi=54, step=5),
        "stoch_length": Int(default=14, lo=4, hi=54, step=5),
        "smooth_k": Int(default=3, lo=1, hi=9, step=2),
        "smooth_d": Int(default=3, lo=1, hi=9, step=2),
        "oversold": Float(default=20.0, lo=10.0, hi=30.0, step=10.0),
        "overbought": Float(default=80.0, lo=70.0, hi=90.0, step=10.0),
    },
    let={"k": _K, "d": _D},
    long_entry=_CROSSES_UP & (_K < _OVERSOLD),
    short_entry=_CROSSES_DOWN & (_K > _OVERBOUGHT),
)
