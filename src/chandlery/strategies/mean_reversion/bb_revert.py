"""Return into the Bollinger bands."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import bb, close, crossover, crossunder, when
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import EntryOrder, OrderKind

_MIDDLE, _UPPER, _LOWER = bb(close, Param("length"), Param("factor"))
_RETURNS_UP = crossover(close, _LOWER)
_RETURNS_DOWN = crossunder(close, _UPPER)

STRATEGY = Strategy(
    name="bb_revert",
    version=1,
    family="mean_reversion",
    title="Bollinger reversion",
    doc="When the close crosses back above the lower band, a buy stop at that band is placed for one bar: it fills at "
    "the next open unless that lies below the band. When the close crosses back below the upper band, a sell stop "
    "there closes the long and opens a short. The order of one side cancels that of the other.",
    refs=("TradingView built-in Bollinger Bands Strategy", "Bollinger 2001, Bollinger on Bollinger Bands"),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "factor": Float(default=2.0, lo=1.0, hi=6.0, step=0.25),
    },
    let={"upper": _UPPER, "lower": _LOWER},
    long_entry=_RETURNS_UP,
    short_entry=_RETURNS_DOWN,
    long_order=EntryOrder(kind=OrderKind.STOP, level=_LOWER, cancel=~_RETURNS_UP),
    # Where shorts are not traded this level closes a long position, so it stands only while the order would.
    short_order=EntryOrder(kind=OrderKind.STOP, level=when(_RETURNS_DOWN, _UPPER), cancel=~_RETURNS_DOWN),
    one_cancels_other=True,
)
