"""Evidence: everything a study says about how much of its result may be luck.

Sharpe ratios are per bar (ddof 1), not annualised. Blocks are the 64 (or 16) spans of bars whose return moments the
search kept; nothing here needs a candidate evaluated again but the cost rows. A figure that cannot be computed
(no variance, too few candidates) is None, never infinite or NaN, so that evidence is plain JSON.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Number = float | int


class Word(StrEnum):
    """The verdict in one word."""

    NOTHING = "nothing"
    """No candidate could be ranked: the panel says nothing about the strategy."""
    LUCK = "luck"
    """The search explains the result well enough."""
    DOUBTFUL = "doubtful"
    """Some tests pass, others do not."""
    HOLDS = "holds"
    """Every test passes: luck is an unlikely explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One chosen candidate.

    `kind`: `in_sample` (best score), `plateau` (best neighbourhood), `walk_forward` (chosen on the last training
    span), `pareto` (not dominated; `rank` counts the front by descending first score). `scores` in the order of
    the objectives, larger is better. `detail`: figures by name, e.g. `plateau_score`, `median_to_peak`.
    """

    kind: str
    rank: int
    number: int
    params: Mapping[str, Number]
    scores: tuple[float | None, ...]
    detail: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One step of a walk-forward: spans of blocks `[first, end)`, the candidate chosen, its Sharpe ratios."""

    train_first: int
    train_end: int
    test_first: int
    test_end: int
    number: int
    params: Mapping[str, Number]
    train_sharpe: float | None
    test_sharpe: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkForward:
    """Choose on past blocks, score on the next: `rolling` or `anchored`.

    `sharpe`: of all test spans stitched together; `efficiency`: that ratio over the mean of the training ratios
    (Pardo 2008); `mean_return`: mean bar return over the test spans.
    """

    scheme: str
    folds: tuple[Fold, ...]
    sharpe: float | None
    mean_return: float | None
    efficiency: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpcv:
    """Combinatorial purged cross-validation: Sharpe ratio of every path of test groups (Lopez de Prado 2018)."""

    groups: int
    tested: int
    splits: int
    embargo: int
    paths: tuple[float | None, ...]
    median: float | None
    share_below_zero: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Best first score over all other parameters, on a grid of two: `values[y][x]`, None where nothing was ranked."""

    x: str
    y: str
    x_values: tuple[Number, ...]
    y_values: tuple[Number, ...]
    values: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """The chosen candidate with costs multiplied by `factor`."""

    factor: float
    equity: float | None
    bar_sharpe: float | None
    max_dd: float | None
    closed_trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it; probabilities are 0 to 1.

    `trials` counts distinct candidates of this study, `earlier_trials` those of studies before it of the same
    strategy and symbol; both count as attempts.

    `returns`, `skew`, `kurtosis`, `sharpe`: of the best in sample. `luck_sharpe`: what the best of so many worthless
    candidates would show. `effective_trials`: attempts after their mean correlation. `min_track_record`: returns
    needed for `psr` of 0.95. `pbo_*`: by combinatorially symmetric cross-validation. `reality_check_p`, `spa_*_p`:
    of the whole search against the benchmark.
    """

    trials: int
    earlier_trials: int
    ranked: int
    failed: int
    pruned: int
    returns: int
    sharpe: float | None
    skew: float | None
    kurtosis: float | None
    psr: float | None
    luck_sharpe: float | None
    deflated_sharpe: float | None
    effective_trials: float | None
    deflated_sharpe_effective: float | None
    min_track_record: float | None
    pbo: float | None
    pbo_slope: float | None
    pbo_loss: float | None
    pbo_splits: int
    pbo_candidates: int
    reality_check_p: float | None
    spa_lower_p: float | None
    spa_consistent_p: float | None
    spa_upper_p: float | None
    bootstrap_samples: int
    walk_forward: tuple[WalkForward, ...]
    cpcv: Cpcv | None
    choices: tuple[Choice, ...]
    heat_map: HeatMap | None
    costs: tuple[CostRow, ...]
    benchmark: Mapping[str, float | None]
    word: Word
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, field by field."""
        return asdict(self) | {"word": self.word.value}
