"""Cross-sectional momentum."""

from chandlery.strategies.expressions import Const, Param
from chandlery.strategies.operations import close, new_month
from chandlery.strategies.parameters import Float, Int
from chandlery.strategies.portfolios import Rotation, Top, TopKind

_SCORE = close[Param("skip")] / close[Param("lookback")] - Const(1.0)

STRATEGY = Rotation(
    name="xs_momentum",
    version=1,
    family="multi_asset",
    title="Cross-sectional momentum",
    doc="Every month the best fifth of the symbols by the return of the last twelve months without the latest one, "
    "in equal weights.",
    refs=("Jegadeesh, Titman 1993", "Asness, Moskowitz, Pedersen 2013"),
    params={
        "lookback": Int(default=252, lo=63, hi=504, step=21),
        "skip": Int(default=21, lo=0, hi=42, step=21),
        "share": Float(default=0.2, lo=0.1, hi=0.5, step=0.1),
    },
    constraints=(Param("skip") < Param("lookback"),),
    let={"momentum": _SCORE},
    rebalance=new_month,
    score=_SCORE,
    top=Top(TopKind.SHARE, Param("share")),
)
