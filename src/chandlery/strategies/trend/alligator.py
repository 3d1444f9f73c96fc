"""The lines of the Alligator in order."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import hl2, rma
from chandlery.strategies.parameters import Int

_JAW = rma(hl2, Param("jaw"))[8]
_TEETH = rma(hl2, Param("teeth"))[5]
_LIPS = rma(hl2, Param("lips"))[3]

STRATEGY = Strategy(
    name="alligator",
    version=1,
    family="trend",
    title="Alligator",
    doc="Three smoothed averages of the middle of the bar, shifted by 8, 5 and 3 bars. Long while the lips are above "
    "the teeth and the teeth above the jaw, out when the lips fall below the teeth. Short while they stand the other "
    "way round, covered when the lips rise above the teeth.",
    refs=("Williams 1998, New Trading Dimensions",),
    params={
        "jaw": Int(default=13, lo=3, hi=52),
        "teeth": Int(default=8, lo=2, hi=32),
        "lips": Int(default=5, lo=1, hi=20),
    },
    constraints=(Param("lips") < Param("teeth"), Param("teeth") < Param("jaw")),
    let={"jaw_line": _JAW, "teeth_line": _TEETH, "lips_line": _LIPS},
    long_entry=(_LIPS > _TEETH) & (_TEETH > _JAW),
    long_exit=_LIPS < _TEETH,
    short_entry=(_LIPS < _TEETH) & (_TEETH < _JAW),
    short_exit=_LIPS > _TEETH,
)
