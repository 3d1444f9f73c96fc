"""Price above or below its long moving average."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, sma
from chandlery.strategies.parameters import Int

_AVERAGE = sma(close, Param("length"))

STRATEGY = Strategy(
    name="price_vs_sma",
    version=1,
    family="trend",
    title="Price against its moving average",
    doc="Long while the close is above its simple moving average, out (or short) while it is below.",
    refs=(
        "Brock, Lakonishok, LeBaron 1992, Simple Technical Trading Rules",
        "Faber 2007, A Quantitative Approach to Tactical Asset Allocation",
    ),
    params={"length": Int(default=200, lo=50, hi=800, step=5)},
    let={"average": _AVERAGE},
    long_entry=close > _AVERAGE,
    short_entry=close < _AVERAGE,
)
