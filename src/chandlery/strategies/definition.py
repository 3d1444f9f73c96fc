"""The strategy definition."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from chandlery.errors import BadParameters, ResearchError
from chandlery.strategies.expressions import Expression, Series
from chandlery.strategies.head import Head
from chandlery.strategies.kinds import Kind, kind_of
from chandlery.strategies.rule_checks import Rule, check_rule, rule_expressions
from chandlery.strategies.rules import Adds, Bracket, EntryOrder, Session, Sizing
from chandlery.strategies.searchable import Definition

RULES = ("long_order", "short_order", "long_bracket", "short_bracket", "adds", "sizing", "session")
"""The declared rules, in the order in which every room lists them."""

SIGNALS = ("long_entry", "long_exit", "short_entry", "short_exit")
"""The four signals, in the order in which every room lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy(Head):
    """One strategy: parameters, constraints, up to four signals as expressions, and rules about the position.

    `name` and `family` are the file and folder it lives in; `version` rises whenever trades can change.
    `let` names the subexpressions worth plotting and exporting; each must occur in a signal. `long_entry` is
    needed, and something that closes the position: `long_exit`, `short_entry` or `long_bracket`.
    `one_cancels_other` says that the entry order of one side is cancelled when that of the other fills.

    Raises:
        BadParameters: for a default set against a constraint or an undeclared or unused parameter.
        ResearchError: for expressions that do not type-check.
        LookAhead: for an expression that reads the future.
    """

    long_entry: Expression
    long_exit: Expression | None = None
    short_entry: Expression | None = None
    short_exit: Expression | None = None
    long_order: EntryOrder | None = None
    short_order: EntryOrder | None = None
    one_cancels_other: bool = False
    long_bracket: Bracket | None = None
    short_bracket: Bracket | None = None
    adds: Adds | None = None
    sizing: Sizing = field(default_factory=Sizing)
    session: Session | None = None

    def __post_init__(self) -> None:
        self.freeze()
        check_identity(self)
        check_constraints(self)
        _check_kinds(self)
        check_use(self)
        _check_one_symbol(self)

    @property
    def signals(self) -> dict[str, Expression]:
        """The signals that are defined, by name, in the order of `SIGNALS`."""
        given = {name: getattr(self, name) for name in SIGNALS}
        return {name: signal for name, signal in given.items() if signal is not None}

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules that are declared, by name, in the order of `RULES`."""
        given = {name: getattr(self, name) for name in RULES}
        return {name: rule for name, rule in given.items() if rule is not None}

    @property
    def expressions(self) -> dict[str, Expression]:
        """Every expression that can change a trade, by its place: signals first, then those of the rules."""
        placed = {place: value for name, rule in self.rules.items() for place, value, _ in rule_expressions(name, rule)}
        return self.signals | placed

    @property
    def closing(self) -> Expression | None:
        """The signal that closes a long position, where shorts are not traded.

        It is `long_exit`; without one `short_entry`, if that entry is made at the market; else None.
        """
        if self.long_exit is not None:
            return self.long_exit
        return self.short_entry if self.short_order is None else None

    @property
    def is_plain(self) -> bool:
        """Whether it is signals alone: all-in at the next open, no session, no order at a level, no bracket."""
        return all(getattr(self, name) is None for name in RULES if name != "sizing") and self.sizing == Sizing()


def nodes(expression: Expression) -> Iterator[Expression]:
    """Yield `expression` and every node below it, parents first."""
    yield expression
    operand = getattr(expression, "operand", None)
    bars = getattr(expression, "bars", None)
    for child in (*getattr(expression, "operands", ()), operand, bars):
        if isinstance(child, Expression):
            yield from nodes(child)


def check_identity(strategy: Definition) -> None:
    """Refuse a name, family or version that cannot identify a definition.

    Raises:
        ResearchError: saying which.
    """
    for label, word in (("name", strategy.name), ("family", strategy.family)):
        if not (word.isidentifier() and word == word.lower()):
            raise ResearchError(f"Strategy {label} was {word!r}; it is a lower-case identifier, like its file.")
    if strategy.version < 1:
        raise ResearchError(f"Strategy {strategy.name} has version {strategy.version}; versions count from 1.")


def check_constraints(strategy: Definition) -> None:
    """Refuse a constraint that is not a comparison of parameters and numbers.

    Raises:
        ResearchError: saying what it was.
    """
    for constraint in strategy.constraints:
        if (kind := kind_of(constraint, strategy.params)) is not Kind.FLAG:
            raise ResearchError(f"A constraint of {strategy.name} was a {kind}; it compares parameters and numbers.")


def _check_kinds(strategy: Strategy) -> None:
    for label, expression in strategy.signals.items():
        if (kind := kind_of(expression, strategy.params)) is not Kind.SIGNAL:
            raise ResearchError(f"{strategy.name}.{label} was a {kind}; a signal is a {Kind.SIGNAL}.")
    for expression in strategy.let.values():
        kind_of(expression, strategy.params)
    for name, rule in strategy.rules.items():
        check_rule(f"{strategy.name}.{name}", rule, strategy.params)
    if strategy.closing is None and strategy.long_bracket is None and strategy.short_order is None:
        raise ResearchError(
            f"Strategy {strategy.name} never closes a long position; give long_exit, short_entry or long_bracket."
        )
    for side in ("long", "short"):
        if getattr(strategy, f"{side}_entry") is None and any(
            getattr(strategy, f"{side}_{rule}") is not None for rule in ("exit", "order", "bracket")
        ):
            raise ResearchError(f"Strategy {strategy.name} has rules for the {side} side and no {side}_entry.")


def _check_one_symbol(strategy: Strategy) -> None:
    placed = [node for value in strategy.expressions.values() for node in nodes(value) if isinstance(node, Series)]
    if any(node.leg is not None for node in placed):
        raise ResearchError(f"{strategy.name} reads a leg; a strategy sees one symbol. Define a Rotation or a Pair.")


def check_use(strategy: Definition) -> None:
    """Refuse names in `let` and parameters that no expression uses.

    Raises:
        BadParameters: listing unused parameters.
        ResearchError: for a name in `let`.
    """
    used = {node for expression in strategy.expressions.values() for node in nodes(expression)}
    for name, expression in strategy.let.items():
        if expression not in used:
            raise ResearchError(f"{strategy.name} names {name!r} in let, and no signal or rule uses it.")
    in_signals = {getattr(node, "name", None) for node in used if type(node).__name__ == "Param"}
    if unused := [name for name in strategy.params if name not in in_signals]:
        raise BadParameters(f"{strategy.name} declares parameters that no signal or rule uses: {', '.join(unused)}.")
