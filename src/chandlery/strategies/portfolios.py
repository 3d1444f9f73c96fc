"""Strategies over several symbols: rotations and pairs.

They are made of the same expressions and parameters as a strategy of one symbol and are types of their own: no
single-symbol room (Pine export, the machine of signals) takes them by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chandlery.errors import ResearchError
from chandlery.strategies.definition import check_constraints, check_identity, check_use, nodes
from chandlery.strategies.expressions import TIME_PARTS, Const, Expression, Series
from chandlery.strategies.head import Head
from chandlery.strategies.kinds import Kind, kind_of
from chandlery.strategies.parameters import Parameter

_NUMBERS = {Kind.NUMBER, Kind.INTEGER}


class TopKind(StrEnum):
    """How the best are counted."""

    SHARE = "share"
    """A fraction of the ranked symbols, rounded up."""
    COUNT = "count"
    """A number of symbols, rounded up."""


@dataclass(frozen=True, slots=True)
class Top:
    """How many of the ranked symbols are selected: at least one, at most all of them."""

    kind: TopKind
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation(Head):
    """Long the best of several symbols, by weights that are decided anew on some bars and drift in between.

    On a bar on which `rebalance` holds:

    1. A symbol is ranked if it has a bar, `score` is a number and `risk` a number above 0 (each if given).
    2. The `top` by score are selected, all without `top`; equal scores go in the order of the panel.
    3. They share the money equally or, with `risk`, in proportion to `1 / risk`.
    4. The share of a selected symbol on which `keep` does not hold stays in cash.

    `score`, `risk` and `keep` are read per symbol on its own bars; a `Series` with a leg is that of the symbol at
    that place of the panel, for all of them. `rebalance` reads time parts, on the clock of the panel, or legs.

    Raises:
        BadParameters: for a default set against a constraint or an undeclared or unused parameter.
        ResearchError: for expressions that do not type-check, or `top` without `score`.
        LookAhead: for an expression that reads the future.
    """

    rebalance: Expression
    score: Expression | None = None
    top: Top | None = None
    keep: Expression | None = None
    risk: Expression | None = None

    def __post_init__(self) -> None:
        self.freeze()
        check_identity(self)
        check_constraints(self)
        _check_kinds(self, {"rebalance": Kind.SIGNAL, "score": Kind.SERIES, "keep": Kind.SIGNAL, "risk": Kind.SERIES})
        if self.top is not None:
            _check_top(self.name, self.top, self.params, is_ranked=self.score is not None)
        _check_legs(self.name, "rebalance", self.rebalance, most=None)
        check_use(self)

    @property
    def expressions(self) -> dict[str, Expression]:
        """Every expression that can change a trade, by its place."""
        placed = {name: getattr(self, name) for name in ("rebalance", "score", "keep", "risk")}
        placed["top"] = None if self.top is None else self.top.value
        return {name: value for name, value in placed.items() if value is not None}

    @property
    def least_symbols(self) -> int:
        """How many symbols a panel must have."""
        return max(2, _highest_leg(self.expressions) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Head):
    """Long or short the spread of two symbols: leg 0 against `hedge` units of leg 1 per unit.

    Every series names its leg. Long the spread is long leg 0 and short leg 1 (a negative `hedge` is long both);
    short the spread is the opposite. The money in both legs together is the equity at the fill, so gross
    exposure is 1 when a position is opened, and quantities are held until it is closed. Market entries on both
    sides of one bar cancel each other; an entry beats an exit; an entry against the position reverses it. No
    entry is made while `hedge` is na.

    Raises:
        BadParameters: for a default set against a constraint or an undeclared or unused parameter.
        ResearchError: for expressions that do not type-check, or an entry without its exit.
        LookAhead: for an expression that reads the future.
    """

    hedge: Expression
    long_entry: Expression
    long_exit: Expression
    short_entry: Expression | None = None
    short_exit: Expression | None = None

    def __post_init__(self) -> None:
        self.freeze()
        check_identity(self)
        check_constraints(self)
        signals = dict.fromkeys(("long_entry", "long_exit", "short_entry", "short_exit"), Kind.SIGNAL)
        _check_kinds(self, {"hedge": Kind.SERIES} | signals)
        if (self.short_entry is None) != (self.short_exit is None):
            raise ResearchError(f"{self.name} has one of short_entry and short_exit; a short spread needs both.")
        for place, expression in self.expressions.items():
            _check_legs(self.name, place, expression, most=1)
        check_use(self)

    @property
    def expressions(self) -> dict[str, Expression]:
        """Every expression that can change a trade, by its place."""
        places = ("hedge", "long_entry", "long_exit", "short_entry", "short_exit")
        placed = {name: getattr(self, name) for name in places}
        return {name: value for name, value in placed.items() if value is not None}

    @property
    def least_symbols(self) -> int:
        """How many symbols a panel must have: exactly two."""
        return 2


Portfolio = Rotation | Pair
"""A strategy over several symbols."""


def _check_kinds(portfolio: Portfolio, wanted: Mapping[str, Kind]) -> None:
    for place, kind in wanted.items():
        expression = getattr(portfolio, place)
        if expression is not None and (found := kind_of(expression, portfolio.params)) is not kind:
            raise ResearchError(f"{portfolio.name}.{place} was a {found}; it is a {kind}.")
    for expression in portfolio.let.values():
        kind_of(expression, portfolio.params)


def _check_top(name: str, top: Top, params: Mapping[str, Parameter], *, is_ranked: bool) -> None:
    if not is_ranked:
        raise ResearchError(f"{name} selects the top of its symbols without a score to rank them by.")
    if (kind := kind_of(top.value, params)) not in _NUMBERS:
        raise ResearchError(f"{name}.top was a {kind}; it is a number.")
    if isinstance(top.value, Const) and not 0.0 < top.value.value <= (1.0 if top.kind is TopKind.SHARE else 1e9):
        raise ResearchError(f"{name}.top was {top.value.value}; a share lies in (0, 1], a count is at least 1.")


def _check_legs(name: str, place: str, expression: Expression, *, most: int | None) -> None:
    for node in nodes(expression):
        if (
            isinstance(node, Series)
            and node.name not in TIME_PARTS
            and (node.leg is None or node.leg > (most or 10**6))
        ):
            raise ResearchError(f"{name}.{place} reads {node.name} of leg {node.leg}; name a leg of the panel there.")


def _highest_leg(expressions: Mapping[str, Expression]) -> int:
    legs = [node.leg for value in expressions.values() for node in nodes(value) if isinstance(node, Series)]
    return max((leg for leg in legs if leg is not None), default=-1)
