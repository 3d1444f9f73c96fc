"""Limits and their evaluation: a value above the hard limit is a breach, an equal one is allowed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chandlery.errors import InvalidInput

Metric = Literal["position_value", "leverage", "concentration", "daily_loss", "drawdown"]
State = Literal["ok", "soft", "hard", "unknown"]

SOFT_SHARE = 0.8
"""Soft limits stand at 80 % of the hard ones unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit on one metric of a book.

    Attributes:
        limit_id: R01, R02, ...
        metric: position_value (largest |quantity x price|), leverage (gross / NAV), concentration
            (largest |value| / NAV), daily_loss (NAV at the previous close less NAV), drawdown (-dd_now).
        soft: a value above it warns.
        hard: a value above it breaches.
        unit: `currency` or `fraction`.
        severity: `critical` (answer within 15 minutes) or `high` (within an hour).
        on_breach: refuse orders that worsen it, admit only reducing orders, or halt.
    """

    limit_id: str
    metric: Metric
    soft: float
    hard: float
    unit: Literal["currency", "fraction"]
    severity: Literal["critical", "high"]
    on_breach: Literal["refuse", "reducing", "halt"]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.hard) and 0.0 < self.soft <= self.hard):
            raise InvalidInput(
                f"Limit {self.limit_id} had soft {self.soft} and hard {self.hard}; need 0 < soft <= hard, finite."
            )


def _default(limit_id: str, metric: Metric, hard: float, unit: Literal["currency", "fraction"]) -> Limit:
    return Limit(limit_id, metric, SOFT_SHARE * hard, hard, unit, "high", "refuse")


DEFAULT_LIMITS = (
    _default("R01", "position_value", 500_000.0, "currency"),
    _default("R02", "leverage", 2.0, "fraction"),
    _default("R03", "concentration", 0.25, "fraction"),
    Limit("R04", "daily_loss", SOFT_SHARE * 10_000.0, 10_000.0, "currency", "critical", "halt"),
    Limit("R05", "drawdown", SOFT_SHARE * 0.15, 0.15, "fraction", "critical", "reducing"),
)


@dataclass(frozen=True, slots=True)
class LimitState:
    """Where a book stands against one limit.

    Attributes:
        limit: the limit.
        value: the metric, None when unknown.
        utilisation: value / hard, 0 for a value under zero (a gain uses no loss limit), None when unknown.
        state: `hard` above the hard limit, `soft` above the soft one, `ok`, or `unknown` without a value.
    """

    limit: Limit
    value: float | None
    utilisation: float | None
    state: State


def evaluate_limits(limits: Sequence[Limit], *, values: Mapping[Metric, float | None]) -> tuple[LimitState, ...]:
    """Return the state of each limit, in the order given.

    A metric that is absent from `values`, None, NaN or infinite is `unknown`: what to do then is the caller's
    decision (a pre-trade check refuses, a report warns), never a silent pass.

    Raises:
        InvalidInput: when two limits share an id.
    """
    ids = [limit.limit_id for limit in limits]
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"Limit ids were {', '.join(ids)}; each must occur once.")
    return tuple(_evaluate(limit, values.get(limit.metric)) for limit in limits)


def _evaluate(limit: Limit, value: float | None) -> LimitState:
    if value is None or not math.isfinite(value):
        return LimitState(limit, None, None, "unknown")
    state: State = "ok"
    if value > limit.hard:
        state = "hard"
    elif value > limit.soft:
        state = "soft"
    return LimitState(limit, value, max(0.0, value / limit.hard), state)
