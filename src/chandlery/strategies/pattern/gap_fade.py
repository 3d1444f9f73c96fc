"""Opening gaps that are still open at the close."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, new_day, open_
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.rules import Basis, Bracket, Distance

_BEFORE = close[1]
_GAP = 100 * (open_ / _BEFORE - 1)
_LEAST_GAP = Param("gap")
_FADE = Bracket(
    limit=Distance(value=_BEFORE, basis=Basis.PRICE, is_frozen=True),
    stop=Distance(value=Param("stop"), basis=Basis.PERCENT),
    max_bars=Param("max_bars"),
)

STRATEGY = Strategy(
    name="gap_fade",
    version=1,
    family="pattern",
    title="Gap fade",
    doc="Long after the first bar of a day that opened at least gap percent below the close before it and did not get "
    "back there by its own close; on daily bars that is any such day. A limit order takes the profit at the close "
    "before the gap, a stop closes the position stop percent below its entry, and it is closed at the open after "
    "max_bars bars. Short after a gap up, the other way round; it reverses a long position.",
    refs=(
        "Crabel 1990, Day Trading with Short Term Price Patterns and Opening Range Breakout",
        "Caporale, Plastun 2017, Price Gaps: Another Market Anomaly?",
    ),
    params={
        "gap": Float(default=2.0, lo=1.0, hi=6.0, step=0.1),
        "stop": Float(default=2.0, lo=1.0, hi=6.0, step=0.25),
        "max_bars": Int(default=5, lo=1, hi=20),
    },
    let={"gap_percent": _GAP},
    long_entry=new_day & (_GAP <= -_LEAST_GAP) & (close < _BEFORE),
    short_entry=new_day & (_GAP >= _LEAST_GAP) & (close > _BEFORE),
    long_bracket=_FADE,
    short_bracket=_FADE,
)
