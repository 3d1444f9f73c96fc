"""The shape of the report of a study, as it stands in its JSON.

Returns, drawdowns and probabilities are fractions, drawdowns <= 0. Sharpe ratios of the evidence are per bar, those of
`figures` annual. Times are ISO 8601 in UTC. A figure without value is null.
"""

from typing import Any, TypedDict

SCHEMA_VERSION = 1


class Verdict(TypedDict):
    """What the study says about luck: one word, a headline, and its sentence."""

    word: str
    headline: str
    sentence: str


class FigureRow(TypedDict):
    """One key figure beside that of buy and hold; unit is fraction, ratio, count or periods."""

    id: str
    label: str
    unit: str
    strategy: float | int | None
    benchmark: float | int | None


class Series(TypedDict):
    """Growth and depth of strategy and buy and hold.

    A long series keeps its ends and the extremes of every span, so `bars` may exceed the length of the lists.
    """

    bars: int
    ts: list[str]
    equity: list[float]
    benchmark: list[float]
    drawdown: list[float]
    benchmark_drawdown: list[float]


class EvidenceRow(TypedDict):
    """One test of overfitting; `passed` is null where it has no value or asks for none."""

    id: str
    label: str
    value: float | None
    kind: str
    asked: str
    passed: bool | None
    reading: str


class FoldRow(TypedDict):
    """One step of a walk-forward, its spans as the times of first and last bar."""

    train_first: str
    train_last: str
    test_first: str
    test_last: str
    params: dict[str, float]
    train_sharpe: float | None
    test_sharpe: float | None


class WalkForwardBlock(TypedDict):
    """A walk-forward: its folds and the figures of the stitched test spans."""

    scheme: str
    sharpe: float | None
    mean_return: float | None
    efficiency: float | None
    folds: list[FoldRow]


class ChoiceRow(TypedDict):
    """One chosen candidate."""

    kind: str
    rank: int
    number: int
    params: dict[str, float]
    scores: list[float | None]
    detail: dict[str, float | None]


class TradeRow(TypedDict):
    """One trade; without exit it is open."""

    seq: int
    entry_ts: str
    exit_ts: str | None
    entry_price: float
    exit_price: float | None
    net_return: float | None


class Trades(TypedDict):
    """Trades of the best in sample: the first and the last of `total`, and figures over all that closed."""

    total: int
    closed: int
    first: list[TradeRow]
    last: list[TradeRow]
    mean: float | None
    median: float | None
    best: float | None
    worst: float | None
    returns: list[float]


class StudyReport(TypedDict):
    """The document. `asked` is the question, `counts` what was evaluated, `evidence` all the figures as stored."""

    schema_version: int
    report_id: str
    study_id: str
    title: str
    strategy: str
    symbol: str
    timeframe: str
    first_ts: str
    last_ts: str
    verdict: Verdict
    asked: dict[str, Any]
    counts: dict[str, int]
    best_params: dict[str, float]
    figures: list[FigureRow]
    series: Series
    heat_map: dict[str, Any] | None
    tests: list[EvidenceRow]
    cpcv: dict[str, Any] | None
    walk_forward: list[WalkForwardBlock]
    costs: list[dict[str, Any]]
    choices: list[ChoiceRow]
    trades: Trades
    definition: dict[str, Any]
    evidence: dict[str, Any]
