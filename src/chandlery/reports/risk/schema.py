"""The shape of the risk report, as it stands in its JSON.

Returns, weights, VaR, ES and drawdowns are fractions; amounts are in the report's currency; VaR and ES are positive
losses, drawdowns <= 0. A null has a status beside it, or an entry in `gaps`.
"""

from typing import TypedDict

SCHEMA_VERSION = 1


class Figure(TypedDict):
    """A value with its status and number of observations; null unless status is ok or proxied."""

    value: float | None
    status: str
    n: int


class PortfolioBlock(TypedDict):
    """What was asked about."""

    name: str
    cash: float
    benchmark: str | None
    positions: list["PositionRow"]


class PositionRow(TypedDict):
    """One position as the owner stated it."""

    symbol: str
    quantity: float


class Summary(TypedDict):
    """Headline figures; grade A (complete) to D (no history), with its reason."""

    nav: Figure
    gross: Figure
    net: Figure
    leverage: Figure
    concentration: Figure
    day_pnl: Figure
    day_return: Figure
    var99: Figure
    es975: Figure
    dd_now: Figure
    dd_max: Figure
    vol: Figure
    sharpe: Figure
    hit_rate: Figure
    positions: int
    limits_hard: int
    limits_soft: int
    limits_unknown: int
    backtest_tests: int
    false_alarms_expected: float
    coverage: float
    grade: str
    grade_reason: str
    simulated: list[str]


class MetricRow(TypedDict):
    """One measure of the return history; flag `autocorrelated` doubts a scaling by sqrt(P)."""

    id: str
    group: str
    unit: str
    value: float | None
    status: str
    n: int
    flags: list[str]


class VarRow(TypedDict):
    """One model at one level, as fraction of NAV and as amount."""

    model: str
    level: float
    var: Figure
    es: Figure
    var_amount: float | None
    es_amount: float | None


class BacktestRow(TypedDict):
    """One rolling test of a VaR model; nulls unless status is ok."""

    model: str
    level: float
    status: str
    window: int
    n: int
    exceptions: int | None
    expected: float | None
    zone: str | None
    pof_lr: float | None
    pof_p_chi2: float | None
    pof_p_exact: float | None
    verdict: str | None


class LimitRow(TypedDict):
    """Where the book stands against one limit."""

    limit_id: str
    metric: str
    value: float | None
    utilisation: float | None
    state: str
    soft: float
    hard: float
    unit: str
    severity: str
    on_breach: str


class ContributorRow(TypedDict):
    """One position: value, last day, and its part of the historical ES 97.5 %."""

    symbol: str
    source: str
    quantity: float
    price: float | None
    value: float | None
    weight: float | None
    day_pnl: float | None
    component_es: float | None
    share_of_es: float | None


class GapRow(TypedDict):
    """Something not computed, or computed on less, and why."""

    item: str
    reason: str


class DefinitionRow(TypedDict):
    """A formula as used."""

    id: str
    group: str
    formula: str


class Parameters(TypedDict):
    """What the figures depend on beside the data."""

    periods_per_year: float
    risk_free: float
    mar: float
    levels: list[float]
    window: int
    backtest_days: int
    history_sessions: int


class Lineage(TypedDict):
    """What the report was made from; the same lineage gives the same bytes."""

    code_version: str
    data_versions: dict[str, int]
    sources: dict[str, str]
    prices_sha256: str
    first_session: str
    last_session: str
    sessions: int
    seed: int
    parameters: Parameters


class BacktestSeries(TypedDict):
    """The drawn backtest: P&L and VaR as fractions of NAV by day."""

    model: str
    level: float
    sessions: list[str]
    returns: list[float]
    var: list[float]


class Series(TypedDict):
    """What the charts draw: hypothetical growth of 1 and its drawdown, and one backtest."""

    sessions: list[str]
    equity: list[float]
    drawdown: list[float]
    backtest: BacktestSeries | None


class RiskReport(TypedDict):
    """The whole document."""

    schema_version: int
    report_id: str
    portfolio: PortfolioBlock
    as_of: str
    currency: str
    lineage: Lineage
    summary: Summary
    metrics: list[MetricRow]
    var: list[VarRow]
    backtests: list[BacktestRow]
    limits: list[LimitRow]
    contributors: list[ContributorRow]
    series: Series
    gaps: list[GapRow]
    definitions: list[DefinitionRow]
