"""Time-series momentum, sized to a volatility."""

import math

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, log, minimum, stdev
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Sizing, SizingKind

_DAYS_A_YEAR = 252

_VOLATILITY = 100 * math.sqrt(_DAYS_A_YEAR) * stdev(log(close / close[1]), Param("length"))
_BEFORE = close[Param("trend")]

STRATEGY = Strategy(
    name="vol_target_trend",
    version=1,
    family="volatility",
    title="Trend at a target volatility",
    doc="For daily bars. Long while the close is above that of trend bars ago, out (or short) while it is below. Every "
    "entry is sized so that the position moves by the target, in percent a year, at the volatility of the last length "
    "days: target / volatility of equity, at most all of it. The size is set at the entry and not changed after.",
    refs=(
        "Moskowitz, Ooi, Pedersen 2012, Time Series Momentum",
        "Harvey, Hoyle, Korgaonkar, Rattray, Sargaison, van Hemert 2018, The Impact of Volatility Targeting",
    ),
    params={
        "trend": Int(default=252, lo=63, hi=1008, step=21),
        "length": Int(default=20, lo=5, hi=80),
        "target": Float(default=15.0, lo=7.5, hi=22.5, step=0.5),
    },
    let={"volatility": _VOLATILITY, "before": _BEFORE},
    long_entry=close > _BEFORE,
    short_entry=close < _BEFORE,
    sizing=Sizing(kind=SizingKind.PERCENT_OF_EQUITY, value=minimum(100 * Param("target") / _VOLATILITY, 100)),
)
