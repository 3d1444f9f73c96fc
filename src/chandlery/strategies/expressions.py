"""Expressions: the five nodes a definition is made of, and Python's operators on them.

`a > b`, `a + b`, `a & b`, `~a` build `Op` nodes; `a[k]` is the value `k` bars ago. Equality is structural (two
expressions that say the same are equal), which is how shared subexpressions are found; the comparison of two
series for equality is therefore spelled `operations.eq(a, b)`.
"""

from dataclasses import dataclass

from chandlery.errors import LookAhead, ResearchError
from chandlery.indicators import get_op

PRICES = ("open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4")
"""Series of the bar itself."""

TIME_PARTS = ("year", "month", "dayofmonth", "dayofweek", "hour", "minute")
"""Parts of the bar's open in the time zone of its exchange; `dayofweek` counts from 1, Sunday, as Pine does."""

SOURCES = (*PRICES, *TIME_PARTS)
"""Names a `Series` may have."""


class Expression:
    """Base of the nodes; carries the operators."""

    __slots__ = ()

    def __getitem__(self, bars: "int | Param") -> "Hist":
        """Value `bars` bars ago."""
        return Hist(self, bars)

    def __add__(self, other: "Operand") -> "Op":
        return Op("add", (self, as_expression(other)))

    def __radd__(self, other: float) -> "Op":
        return Op("add", (Const(other), self))

    def __sub__(self, other: "Operand") -> "Op":
        return Op("sub", (self, as_expression(other)))

    def __rsub__(self, other: float) -> "Op":
        return Op("sub", (Const(other), self))

    def __mul__(self, other: "Operand") -> "Op":
        return Op("mul", (self, as_expression(other)))

    def __rmul__(self, other: float) -> "Op":
        return Op("mul", (Const(other), self))

    def __truediv__(self, other: "Operand") -> "Op":
        return Op("div", (self, as_expression(other)))

    def __rtruediv__(self, other: float) -> "Op":
        return Op("div", (Const(other), self))

    def __mod__(self, other: "Operand") -> "Op":
        return Op("mod", (self, as_expression(other)))

    def __neg__(self) -> "Op":
        return Op("mul", (Const(-1), self))

    def __gt__(self, other: "Operand") -> "Op":
        return Op("gt", (self, as_expression(other)))

    def __ge__(self, other: "Operand") -> "Op":
        return Op("ge", (self, as_expression(other)))

    def __lt__(self, other: "Operand") -> "Op":
        return Op("lt", (self, as_expression(other)))

    def __le__(self, other: "Operand") -> "Op":
        return Op("le", (self, as_expression(other)))

    def __and__(self, other: "Expression") -> "Op":
        return Op("and", (self, other))

    def __or__(self, other: "Expression") -> "Op":
        return Op("or", (self, other))

    def __invert__(self) -> "Op":
        return Op("not", (self,))


Operand = Expression | float | int


@dataclass(frozen=True, slots=True)
class Series(Expression):
    """A series of the bar: of the symbol in question or, over several symbols, of the one at place `leg`."""

    name: str
    leg: int | None = None

    def __post_init__(self) -> None:
        if self.name not in SOURCES:
            raise ResearchError(f"Series was {self.name!r}; known series are {', '.join(SOURCES)}.")
        if self.leg is not None and (self.leg < 0 or self.name in TIME_PARTS):
            raise ResearchError(f"Leg of {self.name} was {self.leg}; legs count from 0, and time is the same on all.")


@dataclass(frozen=True, slots=True)
class Param(Expression):
    """A parameter of the strategy, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Const(Expression):
    """A number; an int is a whole number, a float is not."""

    value: float | int

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or self.value != self.value or abs(self.value) == float("inf"):
            raise ResearchError(f"Constant was {self.value}; it is a finite number.")

    def __eq__(self, other: object) -> bool:
        # 1 and 1.0 are equal to Python and different kinds here.
        return isinstance(other, Const) and type(other.value) is type(self.value) and other.value == self.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Op(Expression):
    """A registered operation on operands."""

    name: str
    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        expected = len(get_op(self.name).operands)
        if len(self.operands) != expected:
            raise ResearchError(f"{self.name} takes {expected} operands, was given {len(self.operands)}.")


@dataclass(frozen=True, slots=True)
class Hist(Expression):
    """The value of a series some bars ago: na, or false for a signal, before there is one.

    Raises:
        LookAhead: for a negative number of bars, which would read the future.
    """

    operand: Expression
    bars: int | Param

    def __post_init__(self) -> None:
        if isinstance(self.bars, int) and self.bars < 0:
            raise LookAhead(f"A value was asked for {-self.bars} bars in the future; offsets count back, from 0.")


def as_expression(value: Operand) -> Expression:
    """Return `value` as a node; a plain number becomes a `Const`."""
    return value if isinstance(value, Expression) else Const(value)
