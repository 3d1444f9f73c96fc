"""Orders: what is sent to the broker at every close, after `chandlery.strategies.decide`.

The order of the calls is part of the meaning: cancels first; then closes, so that an entry placed on the same bar
reads the position they leave; entries; protective exits; further units. The order for a further unit is renewed at
every close: an exit placed while it waits would be bound to it, and outlive the position.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chandlery.backtest.execution import Execution
from chandlery.reports.pine.brackets import Frozen, bracket_values, exit_arguments, level, value_of
from chandlery.reports.pine.expressions import Statements
from chandlery.reports.pine.sides import LONG, SHORT, Side
from chandlery.reports.pine.sizing import quantity
from chandlery.reports.pine.syntax import BINARY, Names, quoted
from chandlery.strategies import Decisions, Expression, SideRules, Strategy

_FIRST_BAR = "strategy.opentrades.entry_bar_index(0)"


@dataclass(frozen=True, slots=True)
class Words:
    """Variables and texts one side is decided by; None where it has none."""

    is_open: str
    go: str
    leave: str | None
    level: str | None
    cancel: str | None
    size: str | None
    exits: Mapping[str, str]
    step: str | None
    next: str
    more: str


def decided(decisions: Decisions) -> Iterator[tuple[Side, SideRules]]:
    """Yield the sides that are traded with their rules."""
    yield LONG, decisions.long
    if decisions.short is not None:
        yield SHORT, decisions.short


def order_expressions(strategy: Strategy, decisions: Decisions) -> Iterator[tuple[Expression, str]]:
    """Yield every expression the orders read, with the name it should have."""
    for side, rules in decided(decisions):
        yield rules.go, f"go_{side.name}"
        if rules.leave is not None:
            yield rules.leave, f"leave_{side.name}"
        if rules.order is not None:
            yield rules.order.level, f"{side.name}_level"
            if rules.order.cancel is not None:
                yield rules.order.cancel, f"cancel_{side.name}"
        if rules.bracket is not None:
            yield from ((value, f"{side.name}_{place}") for place, value in bracket_values(rules.bracket))
    yield strategy.sizing.value, "size"
    if strategy.adds is not None:
        yield strategy.adds.distance.value, "step"


class Orders:
    """Text of the orders of one strategy.

    Building it defines the variables it needs among the statements; `lines` stand after them.
    """

    def __init__(
        self, strategy: Strategy, decisions: Decisions, execution: Execution, statements: Statements, names: Names
    ) -> None:
        self._strategy, self._execution, self._statements, self._names = strategy, execution, statements, names
        self._states: list[str] = []
        self._sides = [(side, rules, self._words(side, rules)) for side, rules in decided(decisions)]

    def lines(self) -> list[str]:
        """Return the lines of all orders."""
        blocks = (self._cancel, self._close, self._enter, self._exit, self._add)
        return self._states + [line for block in blocks for entry in self._sides for line in block(*entry)]

    def _words(self, side: Side, rules: SideRules) -> Words:
        define, order = self._statements.define, rules.order
        is_open = self._state(f"{side.name}_open", side.is_open)
        go = define(rules.go)
        leave = None if rules.leave is None else define(rules.leave)
        price = None if order is None else define(order.level)
        cancel = None if order is None or order.cancel is None else define(order.cancel)
        size = quantity(self._strategy, self._execution, self._statements, price or "close")
        sized = None if size is None else self._state(f"{side.name}_size", size)
        frozen = Frozen(self._names, f"{side.name}_opened")
        exits = {} if rules.bracket is None else exit_arguments(side, rules.bracket, self._statements, frozen)
        adds = self._strategy.adds
        step = None if adds is None else value_of(adds.distance, self._statements, frozen, f"{side.name}_step")
        if frozen.lines:
            self._states.append(f"{side.name}_opened = {is_open} and {_FIRST_BAR} == bar_index")
            self._states += frozen.lines
        following = self._names.take(f"{side.name}_next"), self._names.take(f"{side.name}_more")
        return Words(is_open, go, leave, price, cancel, sized, exits, step, *following)

    def _state(self, wish: str, text: str) -> str:
        name = self._names.take(wish)
        self._states.append(f"{name} = {text}")
        return name

    def _cancel(self, side: Side, _rules: SideRules, words: Words) -> Iterator[str]:
        if words.cancel is not None:
            yield f"if {words.cancel}"
            yield f"    strategy.cancel({quoted(side.entry)})"
        if self._strategy.adds is not None:
            yield f"if {words.is_open} or {words.is_open}[1]"
            yield f"    strategy.cancel({quoted(side.entry)})"
            if words.exits:
                # A reversal leaves the exit to the further unit that was waiting; it would meet the next position.
                yield f"if {words.is_open}[1] and not {words.is_open}"
                yield f"    strategy.cancel({quoted(side.exit)})"

    def _close(self, side: Side, rules: SideRules, words: Words) -> Iterator[str]:
        cause = self._cause(side, rules, words)
        if cause is not None:
            yield f"if {words.is_open} and {cause}"
            yield f"    strategy.close({quoted(side.entry)})"

    def _cause(self, side: Side, rules: SideRules, words: Words) -> str | None:
        """Return what closes the open side at the next open, None if nothing does."""
        causes = [] if words.leave is None else [words.leave]
        if rules.bracket is not None and rules.bracket.max_bars is not None:
            causes.append(self._is_held_long_enough(rules.bracket.max_bars, side))
        return f"({' or '.join(causes)})" if len(causes) > 1 else next(iter(causes), None)

    def _is_held_long_enough(self, max_bars: Expression, side: Side) -> str:
        bars = self._statements.text(max_bars, BINARY[">="] + 1)
        test = f"bar_index - {_FIRST_BAR} + 1 >= {bars}"
        # A reversal closes the position itself; a close beside it would be a second order.
        return " and ".join([test, *(f"not {go}" for go in self._reversals(side))])

    def _reversals(self, side: Side) -> list[str]:
        """Return the entries at the market that would reverse a position on this side."""
        return [words.go for other, rules, words in self._sides if other is not side and rules.order is None]

    def _enter(self, side: Side, rules: SideRules, words: Words) -> Iterator[str]:
        conditions = [words.go, f"not {words.is_open}"]
        arguments = [quoted(side.entry), side.direction]
        if rules.order is not None and words.level is not None:
            conditions.append(f"not na({words.level})")
            arguments.append(f"{rules.order.kind} = {words.level}")
            if self._strategy.one_cancels_other and len(self._sides) > 1:
                arguments += ['oca_name = "Entry"', "oca_type = strategy.oca.cancel"]
        if words.size is not None:
            conditions.append(f"{words.size} > 0")
            arguments.append(f"qty = {words.size}")
        yield f"if {' and '.join(conditions)}"
        yield f"    strategy.entry({', '.join(arguments)})"

    def _add(self, side: Side, rules: SideRules, words: Words) -> Iterator[str]:
        adds = self._strategy.adds
        if adds is None or words.step is None:
            return
        last = "strategy.opentrades.entry_price(strategy.opentrades - 1)"
        cause = self._cause(side, rules, words)
        ends = (
            [] if cause is None else [f"({cause})" if " " in cause and cause[0] != "(" else cause]
        ) + self._reversals(side)
        stays = "".join(f" and not {end}" for end in ends)
        yield f"if {words.is_open} and strategy.opentrades < {adds.units}{stays}"
        yield f"    {words.next} = {level(words.step, adds.distance.basis, side.favour, last)}"
        conditions, sized = f"not na({words.next})", ""
        size = quantity(self._strategy, self._execution, self._statements, words.next)
        if size is not None:
            yield f"    {words.more} = {size}"
            conditions, sized = f"{conditions} and {words.more} > 0", f", qty = {words.more}"
        yield f"    if {conditions}"
        yield f"        strategy.entry({quoted(side.entry)}, {side.direction}, stop = {words.next}{sized})"

    def _exit(self, side: Side, _rules: SideRules, words: Words) -> Iterator[str]:
        if not words.exits:
            return
        given = ", ".join(f"{name} = {text}" for name, text in words.exits.items())
        yield f"if {words.is_open}"
        yield f"    strategy.exit({quoted(side.exit)}, from_entry = {quoted(side.entry)}, {given})"
