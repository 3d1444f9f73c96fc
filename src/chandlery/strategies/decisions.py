"""Decisions: the signals of a strategy with their conflicts settled.

A signal says what the author sees; a decision says what is done. Market entries on both sides of one bar cancel
each other, a market entry beats an exit, a reversal is one order and not an exit beside an entry, and a session
confines entries. Compiler, reference and exporters all start from here.
"""

from dataclasses import dataclass
from enum import StrEnum

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Expression
from chandlery.strategies.operations import minute_of_day
from chandlery.strategies.rules import Basis, Bracket, Distance, EntryOrder, OrderKind


class Sides(StrEnum):
    """Sides that are traded."""

    LONG = "long"
    """Long only; what would open a short position closes a long one where nothing else does."""
    BOTH = "both"
    """Long and short, as far as the strategy defines them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRules:
    """What is done on one side, decided at every close.

    `go` opens the position (and reverses an opposite one), at the market or, with `order`, at a level. `leave`
    closes it at the next open. None never happens.
    """

    go: Expression
    leave: Expression | None
    order: EntryOrder | None
    bracket: Bracket | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Rules of both sides; `short` is None where it is not traded."""

    long: SideRules
    short: SideRules | None


def decide(strategy: Strategy, sides: Sides) -> Decisions:
    """Return what `strategy` does on the sides that are traded."""
    if sides is Sides.LONG or strategy.short_entry is None:
        return Decisions(long=_long_only(strategy), short=None)
    go_long, go_short = strategy.long_entry, strategy.short_entry
    if strategy.long_order is None and strategy.short_order is None:
        go_long, go_short = go_long & ~strategy.short_entry, go_short & ~strategy.long_entry
    go_long, go_short = _in_session(strategy, go_long), _in_session(strategy, go_short)
    winners = [go_long] if strategy.long_order is None else []
    winners += [go_short] if strategy.short_order is None else []
    return Decisions(
        long=SideRules(
            go=go_long,
            leave=_leaving(strategy, strategy.long_exit, winners),
            order=strategy.long_order,
            bracket=strategy.long_bracket,
        ),
        short=SideRules(
            go=go_short,
            leave=_leaving(strategy, strategy.short_exit, winners),
            order=strategy.short_order,
            bracket=strategy.short_bracket,
        ),
    )


def _long_only(strategy: Strategy) -> SideRules:
    go = _in_session(strategy, strategy.long_entry)
    return SideRules(
        go=go,
        leave=_leaving(strategy, strategy.closing, [go] if strategy.long_order is None else []),
        order=strategy.long_order,
        bracket=strategy.long_bracket or _bracket_of(strategy.short_order),
    )


def _bracket_of(order: EntryOrder | None) -> Bracket | None:
    """Return the exit at the level where the other side would have been entered."""
    if order is None:
        return None
    level = Distance(value=order.level, basis=Basis.PRICE)
    return Bracket(stop=level) if order.kind is OrderKind.STOP else Bracket(limit=level)


def _leaving(strategy: Strategy, exit_signal: Expression | None, winners: list[Expression]) -> Expression | None:
    if strategy.session is not None and strategy.session.is_flat_outside:
        outside = ~_hours(strategy)
        exit_signal = outside if exit_signal is None else exit_signal | outside
    if exit_signal is None:
        return None
    for winner in winners:
        exit_signal = exit_signal & ~winner
    return exit_signal


def _in_session(strategy: Strategy, entry: Expression) -> Expression:
    return entry if strategy.session is None else entry & _hours(strategy)


def _hours(strategy: Strategy) -> Expression:
    session = strategy.session
    if session is None:
        raise ValueError(strategy.name)
    return (minute_of_day >= session.start) & (minute_of_day < session.end)
