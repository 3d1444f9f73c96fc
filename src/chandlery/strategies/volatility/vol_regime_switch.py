"""In the market while it is calm."""

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Param
from chandlery.strategies.operations import close, log, percentrank, stdev
from chandlery.strategies.parameters import Float, Int

_VOLATILITY = stdev(log(close / close[1]), Param("length"))
_RANK = percentrank(_VOLATILITY, Param("history"))
_LEVEL = Param("level")

STRATEGY = Strategy(
    name="vol_regime_switch",
    version=1,
    family="volatility",
    title="Volatility regime switch",
    doc="Long while the volatility of the last length returns ranks below the level among those of the history before: "
    "the market is calm. Out while it ranks above: storms pay less for each unit of risk. No short side.",
    refs=("Moreira, Muir 2017, Volatility-Managed Portfolios",),
    params={
        "length": Int(default=20, lo=5, hi=80),
        "history": Int(default=252, lo=63, hi=1008, step=21),
        "level": Float(default=80.0, lo=40.0, hi=95.0, step=5.0),
    },
    let={"volatility": _VOLATILITY, "rank": _RANK},
    long_entry=_RANK < _LEVEL,
    long_exit=_RANK > _LEVEL,
)
