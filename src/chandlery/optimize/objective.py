"""Objectives: what a search ranks candidates by, larger is better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import METRICS
from chandlery.errors import InvalidInput

Floats = NDArray[np.float64]

OBJECTIVE = "bar_sharpe"
"""Mean over standard deviation (ddof 0) of the bar returns in standard mode, not annualised."""

MIN_TRADES = 3
"""A candidate with fewer closed trades is not ranked: its ratio says next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One objective.

    `direction` is that of the figure (`maximize` or `minimize`); scores are always larger for the better.
    `figure` maps a metrics matrix `[n, 8]` to `[n]`, not finite where it has no value.
    """

    name: str
    direction: str
    doc: str
    figure: Callable[[Floats], Floats]

    def score(self, metrics: Floats) -> Floats:
        """Return the score `[n]`: minus infinity with fewer than `MIN_TRADES` closed trades or without a value."""
        values = self.figure(metrics)
        signed = values if self.direction == "maximize" else -values
        is_ranked = (_column(metrics, "closed_trades") >= MIN_TRADES) & np.isfinite(signed)
        return np.where(is_ranked, signed, -np.inf)


def all_objectives() -> MappingProxyType[str, Objective]:
    """Return every objective by name."""
    return MappingProxyType(_OBJECTIVES)


def get_objective(name: str) -> Objective:
    """Return the objective called `name`.

    Raises:
        InvalidInput: listing the names there are.
    """
    if name not in _OBJECTIVES:
        raise InvalidInput(f"No objective is called {name!r}; there are {', '.join(_OBJECTIVES)}.")
    return _OBJECTIVES[name]


def scores(metrics: Floats, objectives: Sequence[str] = (OBJECTIVE,)) -> Floats:
    """Return the scores `[n, objectives]` of a metrics matrix `[n, 8]`.

    Raises:
        InvalidInput: for no objective, one named twice or an unknown one.
    """
    return np.stack([objective.score(metrics) for objective in checked_objectives(objectives)], axis=1)


def checked_objectives(names: Sequence[str]) -> tuple[Objective, ...]:
    """Return the objectives of these names, in order.

    Raises:
        InvalidInput: for no objective, one named twice or an unknown one.
    """
    if not names or len(set(names)) != len(names):
        raise InvalidInput(f"objectives was {list(names)}; give at least one, each once.")
    return tuple(get_objective(name) for name in names)


def best_of(score: Floats, numbers: NDArray[np.int64]) -> int:
    """Return the position of the highest score `[n]`; among equals that of the lowest lattice number."""
    leading = np.flatnonzero(score == score.max())
    return int(leading[np.argmin(numbers[leading])])


def _column(metrics: Floats, name: str) -> Floats:
    column: Floats = metrics[:, METRICS.index(name)]
    return column


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)


def _profit_factor(metrics: Floats) -> Floats:
    return _ratio(_column(metrics, "gross_profit"), _column(metrics, "gross_loss"))


def _return_over_drawdown(metrics: Floats) -> Floats:
    return _ratio(_column(metrics, "equity") - 1.0, _column(metrics, "max_dd"))


def _expectancy(metrics: Floats) -> Floats:
    net = _column(metrics, "gross_profit") - _column(metrics, "gross_loss")
    return _ratio(net, _column(metrics, "closed_trades"))


def _plain(name: str) -> Callable[[Floats], Floats]:
    return lambda metrics: _column(metrics, name)


_OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective(
            name=OBJECTIVE,
            direction="maximize",
            doc="Mean over standard deviation (ddof 0) of the bar returns, not annualised.",
            figure=_plain("bar_sharpe"),
        ),
        Objective(
            name="equity",
            direction="maximize",
            doc="Final equity as a multiple of the starting cash.",
            figure=_plain("equity"),
        ),
        Objective(
            name="max_dd",
            direction="minimize",
            doc="Largest fraction lost from a peak of equity.",
            figure=_plain("max_dd"),
        ),
        Objective(
            name="profit_factor",
            direction="maximize",
            doc="Gross profit over gross loss of closed trades; no value without a loss.",
            figure=_profit_factor,
        ),
        Objective(
            name="return_over_drawdown",
            direction="maximize",
            doc="Total return over the largest drawdown; no value without a drawdown.",
            figure=_return_over_drawdown,
        ),
        Objective(
            name="expectancy",
            direction="maximize",
            doc="Net profit per closed trade, in units of the starting cash.",
            figure=_expectancy,
        ),
    )
}
