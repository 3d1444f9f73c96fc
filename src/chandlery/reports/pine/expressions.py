"""Expressions as statements of Pine v6, each computed once and on every bar.

`and` and `or` are lazy in v6, and so are the branches of a ternary, while functions with a memory must see every
bar. So everything with a memory becomes a variable at the top level; what is left inside other text is arithmetic,
comparison and history.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chandlery.errors import NotExportable
from chandlery.indicators import OPS, OpSpec, get_op
from chandlery.reports.pine.functions import FUNCTIONS
from chandlery.reports.pine.syntax import ATOM, BINARY, COMPARISONS, TERNARY, UNARY, Names, literal
from chandlery.strategies import Const, Expression, Hist, Op, Param, Parameter, Series

_INFIX = re.compile(r"\{0\} (\S+) \{1\}")
_BAR = (Series("high"), Series("low"), Series("close"))
_GUARDED = {"sqrt": ">= 0", "log": "> 0"}
_ELEMENTWISE = frozenset({"abs", "floor", "sign", "exp", "pow", "min", "max", "nz", "isna", "not", "where", *_GUARDED})


@dataclass(frozen=True, slots=True)
class Node:
    """One distinct expression: itself and the numbers of what it is made of."""

    expression: Expression
    parts: tuple[int, ...]


class Statements:
    """Variables defined so far, in an order in which each uses only earlier ones.

    Read every expression first, then ask for texts: what is used twice gets a variable of its own.
    """

    def __init__(self, names: Names, params: Mapping[str, Parameter], labels: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.functions: set[str] = set()
        self._names, self._params, self._labels = names, params, labels
        self._nodes: list[Node] = []
        self._numbers: dict[object, int] = {}
        self._seen: dict[int, tuple[Expression, int]] = {}
        self._uses: dict[int, int] = {}
        self._known: dict[int, str] = {}
        self._wishes: dict[int, str] = {}

    def read(self, expression: Expression, wish: str | None = None) -> None:
        """Count the uses of every part of `expression`; `wish` is its name, unless it has or gets another one."""
        number = self._number(expression)
        self._uses[number] = self._uses.get(number, 0) + 1
        if wish is not None:
            self._wishes.setdefault(number, wish)

    def define(self, expression: Expression) -> str:
        """Return the variable that holds `expression`, or the name of the series or input it is."""
        return self._variable(self._number(expression))

    def text(self, expression: Expression, strength: int = 0) -> str:
        """Return `expression` as text, in parentheses if it binds weaker than `strength`."""
        return self._within(self._number(expression), strength)

    def _number(self, expression: Expression) -> int:
        seen = self._seen.get(id(expression))
        if seen is not None:
            return seen[1]
        parts: tuple[int, ...] = ()
        match expression:
            case Op():
                parts = tuple(self._number(operand) for operand in expression.operands)
                key: object = (expression.name, parts)
            case Hist():
                parts = (self._number(expression.operand),)
                key = ("[]", parts, expression.bars)
            case _:
                key = expression
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._nodes)
            self._nodes.append(Node(expression, parts))
            for part in parts:
                self._uses[part] = self._uses.get(part, 0) + 1
        # Holding the expression keeps its id from being given to another one.
        self._seen[id(expression)] = (expression, number)
        return number

    def _within(self, number: int, strength: int) -> str:
        text, own = self._text(number)
        return text if own >= strength else f"({text})"

    def _text(self, number: int) -> tuple[str, int]:
        """Return the text of a node and how strongly it binds."""
        if number in self._known:
            return self._known[number], ATOM
        expression = self._nodes[number].expression
        if not isinstance(expression, Op | Hist):
            return self._leaf(expression)
        return (self._define(number), ATOM) if self._is_named(number) else self._made(number)

    def _is_named(self, number: int) -> bool:
        """Whether a node gets a variable: it has a memory, a name, or is used twice and longer than its name."""
        expression = self._nodes[number].expression
        is_short = isinstance(expression, Hist) or (isinstance(expression, Op) and expression.name == "not")
        is_shared = self._uses.get(number, 0) > 1 and not is_short
        return number in self._wishes or self._is_stateful(number) or is_shared

    def _leaf(self, expression: Expression) -> tuple[str, int]:
        match expression:
            case Series(name=name):
                return name, ATOM
            case Param(name=name):
                return self._labels[name], ATOM
            case Const(value=value):
                return literal(value), UNARY if value < 0 else ATOM
            case _:
                raise NotExportable(f"An expression was a {type(expression).__name__}; Pine has no such thing.")

    def _made(self, number: int) -> tuple[str, int]:
        """Return the text that computes a node."""
        node = self._nodes[number]
        if isinstance(node.expression, Hist):
            bars = node.expression.bars
            offset = self._labels[bars.name] if isinstance(bars, Param) else str(bars)
            return f"{self._variable(node.parts[0])}[{offset}]", ATOM
        return self._operation(number)

    def _variable(self, number: int) -> str:
        """Return a name for a node, which must not be text: it is read twice, or has a history."""
        node = self._nodes[number]
        if number in self._known or isinstance(node.expression, Series | Param | Const):
            return self._text(number)[0]
        return self._define(number)

    def _define(self, number: int) -> str:
        expression = self._nodes[number].expression
        if isinstance(expression, Op) and _is_tuple(spec := get_op(expression.name)):
            return self._define_output(number, spec)
        text, _ = self._made(number)
        name = self._known[number] = self._name(number)
        self.lines.append(f"{name} = {text}")
        return name

    def _name(self, number: int) -> str:
        expression = self._nodes[number].expression
        if number in self._wishes:
            return self._names.take(self._wishes[number])
        return self._names.number(expression.name if isinstance(expression, Op) else "past")

    def _define_output(self, number: int, spec: OpSpec) -> str:
        """Return the variable of one of several answers; all of them are defined at once."""
        parts = self._nodes[number].parts
        text = self._operation(number)[0]
        siblings = {
            get_op(node.expression.name).output: other
            for other, node in enumerate(self._nodes)
            if isinstance(node.expression, Op)
            and node.parts == parts
            and get_op(node.expression.name).computation == spec.computation
        }
        for other in siblings.values():
            self._known[other] = self._name(other)
        answers = (self._known[siblings[place]] if place in siblings else "_" for place in range(spec.outputs))
        self.lines.append(f"[{', '.join(answers)}] = {text}")
        return self._known[number]

    def _operation(self, number: int) -> tuple[str, int]:
        node = self._nodes[number]
        if not isinstance(node.expression, Op):
            raise NotImplementedError(type(node.expression).__name__)
        spec = get_op(node.expression.name)
        if spec.name == "div":
            return self._quotient(*node.parts)
        if infix := _INFIX.fullmatch(spec.pine):
            return self._infix(infix[1], *node.parts)
        if spec.name == "not":
            return self._negation(number, node.parts[0])
        if spec.name == "where":
            return " ".join(self._ternary(node.parts)), TERNARY
        if spec.name in _GUARDED:
            operand = self._variable(node.parts[0])
            return f"math.sign({operand}) {_GUARDED[spec.name]} ? {spec.pine.format(operand)} : na", TERNARY
        return self._call(node, spec)

    def _negation(self, number: int, operand: int) -> tuple[str, int]:
        is_shared = self._uses.get(number, 0) > 1
        return f"not {self._variable(operand) if is_shared else self._within(operand, UNARY + 1)}", UNARY

    def _ternary(self, parts: tuple[int, ...]) -> Iterable[str]:
        for sign, part in zip(("", "?", ":"), parts, strict=True):
            if sign:
                yield sign
            yield self._within(part, TERNARY + 1)

    def _infix(self, sign: str, left: int, right: int) -> tuple[str, int]:
        strength = BINARY[sign]
        # Operators of one strength read from the left; comparisons do not chain at all.
        first = self._within(left, strength + (strength in COMPARISONS))
        return f"{first} {sign} {self._within(right, strength + 1)}", strength

    def _quotient(self, left: int, right: int) -> tuple[str, int]:
        plain, strength = BINARY["/"], BINARY["/"]
        if self._is_never_zero(right):
            return f"{self._within(left, plain)} / {self._within(right, plain + 1)}", strength
        # An exact test: `==` itself takes 1e-10 for zero, `math.sign` does not.
        divisor = self._variable(right)
        return f"math.sign({divisor}) == 0 ? na : {self._within(left, plain)} / {divisor}", TERNARY

    def _is_never_zero(self, number: int) -> bool:
        match self._nodes[number].expression:
            case Const(value=value):
                return value != 0
            case Param(name=name):
                return self._params[name].lo > 0 or self._params[name].hi < 0
            case Series(name=name):
                return name in {"open", "high", "low", "close", "hl2", "hlc3", "ohlc4"}
            case _:
                return False

    def _call(self, node: Node, spec: OpSpec) -> tuple[str, int]:
        unused = [place for place in range(len(node.parts)) if f"{{{place}}}" not in spec.pine]
        for place, expected in zip(unused, _BAR, strict=False):
            if self._nodes[node.parts[place]].expression != expected:
                raise NotExportable(
                    f"{spec.name} was given other series than high, low and close, which Pine's {spec.pine} does not "
                    "take. Define it over the bar itself."
                )
        self.functions.update(name for name in FUNCTIONS if spec.pine.startswith(f"{name}("))
        return spec.pine.format(*(self._within(part, 0) for part in node.parts)), ATOM

    def _is_stateful(self, number: int) -> bool:
        expression = self._nodes[number].expression
        if not isinstance(expression, Op):
            return False
        spec = get_op(expression.name)
        return _INFIX.fullmatch(spec.pine) is None and spec.name not in _ELEMENTWISE


def _is_tuple(spec: OpSpec) -> bool:
    """Whether Pine answers all outputs of the computation at once; else each has a function of its own."""
    return spec.outputs > 1 and all(
        other.pine == spec.pine for other in OPS.values() if other.computation == spec.computation
    )
