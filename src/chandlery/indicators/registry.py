"""The registry: one entry per operation, collected from the modules that define them."""

from collections.abc import Mapping
from types import MappingProxyType

from chandlery.errors import ResearchError
from chandlery.indicators import (
    crosses,
    dispersion,
    extremes,
    moving_averages,
    operators,
    oscillators,
    pivots,
    ranges,
    states,
    totals,
    trailing,
)
from chandlery.indicators.spec import OpSpec

_MODULES = (
    moving_averages,
    dispersion,
    oscillators,
    extremes,
    pivots,
    ranges,
    trailing,
    totals,
    states,
    crosses,
    operators,
)

OPS: Mapping[str, OpSpec] = MappingProxyType({spec.name: spec for module in _MODULES for spec in module.SPECS})
"""Every operation by name."""


def get_op(name: str) -> OpSpec:
    """Return the operation called `name`.

    Raises:
        ResearchError: if there is none.
    """
    spec = OPS.get(name)
    if spec is None:
        raise ResearchError(f"Operation was {name!r}; registered operations are {', '.join(OPS)}.")
    return spec
