"""Know sure thing: four smoothed rates of change, weighted 1 to 4."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, crossover, crossunder, floor, roc, sma
from chandlery.strategies.parameters import Int

# 10 smooths the three shorter rates, 15 the longest, as published.
_SMOOTHING = Param("smoothing")
_KST = (
    sma(roc(close, Param("roc_1")), _SMOOTHING)
    + 2 * sma(roc(close, Param("roc_2")), _SMOOTHING)
    + 3 * sma(roc(close, Param("roc_3")), _SMOOTHING)
    + 4 * sma(roc(close, Param("roc_4")), floor(_SMOOTHING * 1.5))
)
_SIGNAL_LINE = sma(_KST, Param("signal"))

STRATEGY = Strategy(
    name="kst",
    version=1,
    family="momentum",
    title="Know sure thing",
    doc="Buy when the weighted sum of four smoothed rates of change crosses above its average; out, and short, when it "
    "crosses below. The longest rate is smoothed by one and a half times smoothing.",
    refs=("Pring 1992, Summed Rate of Change (KST), Technical Analysis of Stocks & Commodities 10",),
    params={
        "roc_1": Int(default=10, lo=4, hi=16, step=3),
        "roc_2": Int(default=15, lo=9, hi=27, step=3),
        "roc_3": Int(default=20, lo=12, hi=36, step=4),
        "roc_4": Int(default=30, lo=18, hi=60, step=6),
        "smoothing": Int(default=10, lo=5, hi=20, step=5),
        "signal": Int(default=9, lo=3, hi=18, step=3),
    },
    constraints=(
        Param("roc_1") < Param("roc_2"),
        Param("roc_2") < Param("roc_3"),
        Param("roc_3") < Param("roc_4"),
    ),
    let={"sure_thing": _KST, "signal_line": _SIGNAL_LINE},
    long_entry=crossover(_KST, _SIGNAL_LINE),
    short_entry=crossunder(_KST, _SIGNAL_LINE),
)
