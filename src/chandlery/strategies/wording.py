"""Wording: expressions and rules of a definition as text for people."""

from collections.abc import Mapping

from chandlery.strategies.definition import Strategy
from chandlery.strategies.expressions import Const, Expression, Hist, Op, Param, Series
from chandlery.strategies.operations import minute_of_day, new_day, new_month
from chandlery.strategies.portfolios import Portfolio, Rotation, TopKind
from chandlery.strategies.rule_checks import Rule
from chandlery.strategies.rules import Adds, Basis, Bracket, Distance, EntryOrder, Session, Sizing, SizingKind

_INFIX = {
    "or": ("or", 1),
    "and": ("and", 2),
    **{name: (sign, 4) for name, sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))},
    **{name: (sign, 4) for name, sign in (("eq", "=="), ("ne", "!="))},
    **{name: (sign, 5) for name, sign in (("add", "+"), ("sub", "-"))},
    **{name: (sign, 6) for name, sign in (("mul", "*"), ("div", "/"), ("mod", "%"))},
}
"""Sign and binding of the operations written between their operands; a higher number binds tighter."""
_NOT, _SIGN, _TIGHTEST = 3, 7, 9

_UNITS = {Basis.DISTANCE: " away", Basis.PERCENT: " % away", Basis.TICKS: " ticks away"}
_SIZES = {SizingKind.PERCENT_OF_EQUITY: "% of equity", SizingKind.CASH: "of money", SizingKind.FIXED: "units"}

_TOPS = {TopKind.SHARE: "a share of the ranked symbols", TopKind.COUNT: "a number of symbols"}

_WORDS: dict[Expression, str] = {minute_of_day: "minute_of_day", new_day: "new_day", new_month: "new_month"}

Names = Mapping[Expression, str]
"""Expressions that have a name of their own."""


def say(expression: Expression, names: Names | None = None) -> str:
    """Return an expression as one writes it, `crossover(sma(close, fast), slow_ma)`; `names` stand for themselves."""
    return _say(expression, names or {})[0]


def say_rules(strategy: Strategy) -> dict[str, str]:
    """Return every declared rule of `strategy` as a sentence, by name."""
    # A rule that repeats a signal calls it by its name.
    names = let_names(strategy) | {signal: name for name, signal in strategy.signals.items()}
    said = {name: _say_rule(rule, names) for name, rule in strategy.rules.items() if rule != Sizing()}
    if strategy.one_cancels_other:
        said["one_cancels_other"] = "a fill on one side cancels the entry order of the other"
    return said


def say_signals(strategy: Strategy) -> dict[str, str]:
    """Return every signal of `strategy` as text, by name."""
    names = let_names(strategy)
    return {name: say(signal, names) for name, signal in strategy.signals.items()}


def say_portfolio(portfolio: Portfolio) -> dict[str, str]:
    """Return every expression of a strategy over several symbols as text, by its place."""
    names = let_names(portfolio)
    said = {place: say(value, names) for place, value in portfolio.expressions.items()}
    if isinstance(portfolio, Rotation) and portfolio.top is not None:
        said["top"] = f"the best {said['top']}, {_TOPS[portfolio.top.kind]}"
    return said


def say_let(strategy: Strategy | Portfolio) -> dict[str, str]:
    """Return the named subexpressions of `strategy` as text; each may use the names before it."""
    said: dict[str, str] = {}
    names = dict(_WORDS)
    for name, value in strategy.let.items():
        said[name] = say(value, names)
        names[value] = name
    return said


def let_names(strategy: Strategy | Portfolio) -> dict[Expression, str]:
    """Return the names that `strategy` gives to subexpressions, and those of words that are long when spelled out."""
    return _WORDS | {value: name for name, value in strategy.let.items()}


def _say(expression: Expression, names: Names) -> tuple[str, int]:  # noqa: PLR0911 - one answer per node
    """Return the text and how tightly it binds."""
    if expression in names:
        return names[expression], _TIGHTEST
    match expression:
        case Series(leg=int(leg)):
            return f"leg({expression.name}, {leg})", _TIGHTEST
        case Series() | Param():
            return expression.name, _TIGHTEST
        case Const():
            return f"{expression.value:.12g}", _TIGHTEST if expression.value >= 0 else _SIGN
        case Hist():
            bars = expression.bars.name if isinstance(expression.bars, Param) else expression.bars
            return f"{_bound(expression.operand, _TIGHTEST, names)}[{bars}]", _TIGHTEST
        case Op(name="not"):
            return f"not {_bound(expression.operands[0], _NOT, names)}", _NOT
        case Op(name="mul", operands=(Const(value=-1), inner)):
            return f"-{_bound(inner, _SIGN, names)}", _SIGN
        case Op() if expression.name in _INFIX:
            sign, binding = _INFIX[expression.name]
            left, right = expression.operands
            return f"{_bound(left, binding, names)} {sign} {_bound(right, binding + 1, names)}", binding
        case Op():
            return f"{expression.name}({', '.join(_say(o, names)[0] for o in expression.operands)})", _TIGHTEST
        case _:
            return type(expression).__name__.lower(), _TIGHTEST


def _bound(expression: Expression, binding: int, names: Names) -> str:
    text, own = _say(expression, names)
    return text if own >= binding else f"({text})"


def _say_rule(rule: Rule, names: Names) -> str:
    match rule:
        case EntryOrder():
            ending = "" if rule.cancel is None else f", cancelled on {say(rule.cancel, names)}"
            return f"enter by {rule.kind} order at {say(rule.level, names)}{ending}"
        case Bracket():
            return "; ".join(_say_exits(rule, names))
        case Adds():
            return f"up to {rule.units} units, one more each time price is {_say_distance(rule.distance, names)}"
        case Sizing():
            return f"{say(rule.value, names)} {_SIZES[rule.kind]}"
        case Session():
            flat = ", flat outside" if rule.is_flat_outside else ""
            return f"entries from {_clock(rule.start)} to {_clock(rule.end)}{flat}"


def _say_exits(bracket: Bracket, names: Names) -> list[str]:
    exits = []
    if bracket.stop is not None:
        exits.append(f"stop {_say_distance(bracket.stop, names)}")
    if bracket.limit is not None:
        exits.append(f"limit {_say_distance(bracket.limit, names)}")
    if bracket.trail is not None:
        start = bracket.trail.activation
        armed = "" if start is None else f", armed when price is {_say_distance(start, names)}"
        exits.append(f"trailing stop {_say_distance(bracket.trail.offset, names)} from the best price{armed}")
    if bracket.max_bars is not None:
        exits.append(f"out after {say(bracket.max_bars, names)} bars")
    return exits


def _say_distance(distance: Distance, names: Names) -> str:
    frozen = " (as at the signal)" if distance.is_frozen else ""
    if distance.basis is Basis.PRICE:
        return f"at {say(distance.value, names)}{frozen}"
    return f"{say(distance.value, names)}{_UNITS[distance.basis]}{frozen}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
