"""What every kind of definition has, so that validation and search need not know which kind it is."""

from collections.abc import Mapping
from typing import Protocol

from chandlery.strategies.expressions import Expression
from chandlery.strategies.parameters import Parameter


class Searchable(Protocol):
    """A definition with a space of parameters: a strategy of one symbol, a rotation, a pair."""

    @property
    def name(self) -> str:
        """Name, unique over all kinds."""

    @property
    def params(self) -> Mapping[str, Parameter]:
        """Parameters by name; the first varies slowest on the lattice."""

    @property
    def constraints(self) -> tuple[Expression, ...]:
        """Comparisons of parameters that must hold."""

    @property
    def param_names(self) -> tuple[str, ...]:
        """Parameter names in the order of every candidate matrix."""

    @property
    def defaults(self) -> dict[str, float | int]:
        """Default of every parameter."""


class Definition(Searchable, Protocol):
    """A searchable with an identity and expressions."""

    @property
    def family(self) -> str:
        """Folder it lives in."""

    @property
    def version(self) -> int:
        """Rises whenever trades can change."""

    @property
    def let(self) -> Mapping[str, Expression]:
        """Subexpressions worth plotting, by name."""

    @property
    def expressions(self) -> dict[str, Expression]:
        """Every expression that can change a trade, by its place."""
