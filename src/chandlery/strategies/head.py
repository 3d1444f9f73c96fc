"""What every definition begins with: who it is, and the parameters it has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from chandlery.strategies.expressions import Expression
from chandlery.strategies.parameters import Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Identity, parameters and named subexpressions of a strategy, a rotation or a pair."""

    name: str
    version: int
    family: str
    title: str
    doc: str
    refs: tuple[str, ...] = ()
    params: Mapping[str, Parameter] = field(default_factory=dict)
    constraints: tuple[Expression, ...] = ()
    let: Mapping[str, Expression] = field(default_factory=dict)

    def freeze(self) -> None:
        """Make the mappings read-only."""
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        object.__setattr__(self, "let", MappingProxyType(dict(self.let)))

    @property
    def param_names(self) -> tuple[str, ...]:
        """Parameter names in the order of every candidate matrix; the first varies slowest on the lattice."""
        return tuple(self.params)

    @property
    def defaults(self) -> dict[str, float | int]:
        """Default of every parameter."""
        return {name: parameter.default for name, parameter in self.params.items()}
