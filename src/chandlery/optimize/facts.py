"""The facts of a question: what makes two studies the same."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chandlery.backtest import Execution, Panel
from chandlery.errors import InvalidInput
from chandlery.optimize.objective import MIN_TRADES, OBJECTIVE, checked_objectives
from chandlery.optimize.space import Space
from chandlery.strategies import Strategy, definition_hash

Ranges = Mapping[str, tuple[float, float, float]]
"""`(lo, hi, step)` by parameter, in place of the strategy's own range."""


def study_facts(
    strategy: Strategy,
    panel: Panel,
    *,
    execution: Execution,
    budget: int,
    seed: int,
    objectives: Sequence[str] = (OBJECTIVE,),
    method: str | None = None,
    ranges: Ranges | None = None,
) -> dict[str, Any]:
    """Return the facts of a study as plain JSON values: equal facts, equal study.

    `method` is the one asked for, None where the policy decides.

    Raises:
        InvalidInput: for a budget below 1, or objectives that are unknown or named twice.
    """
    if budget < 1:
        raise InvalidInput(f"The budget was {budget} candidates; a study takes at least 1.")
    checked_objectives(objectives)
    costs = asdict(execution.costs)
    account = {name: value for name, value in asdict(execution).items() if name != "costs"}
    return {
        "definition_hash": definition_hash(strategy),
        "panel_id": panel.panel_id,
        "objectives": list(objectives),
        "min_trades": MIN_TRADES,
        "budget": budget,
        "seed": seed,
        "method": method,
        "ranges": {name: [float(number) for number in given] for name, given in sorted((ranges or {}).items())},
        **{name: _plain(value) for name, value in (costs | account).items()},
    }


def space_of(strategy: Strategy, ranges: Ranges | None) -> Space:
    """Return the space of a strategy with ranges as asked for.

    Raises:
        InvalidInput: for ranges that do not fit the strategy.
        EmptySpace: for a space without a point.
    """
    space = Space(strategy).narrowed(ranges) if ranges else Space(strategy)
    space.require_points()
    return space


def _plain(value: float | str) -> float | str:
    return str(value) if isinstance(value, str) else value
