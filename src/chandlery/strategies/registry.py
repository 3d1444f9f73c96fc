"""The registry: every strategy of the library, found by walking the family packages."""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from chandlery.errors import ResearchError, UnknownStrategy
from chandlery.strategies.definition import Strategy

_NO_FAMILY = {"operations"}
"""Packages beside the families: the words definitions are written in."""


def all_strategies() -> Mapping[str, Strategy]:
    """Return every strategy by name, sorted by family and name.

    Raises:
        ResearchError: if a file holds no `STRATEGY`, or one whose name or family is not the file's.
    """
    return _walk()


def get_strategy(name: str) -> Strategy:
    """Return the strategy called `name`.

    Raises:
        UnknownStrategy: naming the nearest ones.
    """
    strategies = all_strategies()
    if name not in strategies:
        near = difflib.get_close_matches(name, strategies, n=3, cutoff=0.4)
        hint = f"near matches are {', '.join(near)}" if near else f"known are {', '.join(strategies)}"
        raise UnknownStrategy(f"Strategy was {name!r}; there is none of that name, {hint}.")
    return strategies[name]


@cache
def _walk() -> Mapping[str, Strategy]:
    here = Path(__file__).parent
    package = __name__.rpartition(".")[0]
    found: dict[str, Strategy] = {}
    families = {info.name for info in pkgutil.iter_modules([str(here)]) if info.ispkg}
    for family in sorted(families - _NO_FAMILY):
        for info in sorted(pkgutil.iter_modules([str(here / family)]), key=lambda info: info.name):
            strategy = _load(f"{package}.{family}.{info.name}", family=family, name=info.name)
            if strategy.name in found:
                raise ResearchError(f"Strategy name {strategy.name} is taken twice; names are unique over families.")
            found[strategy.name] = strategy
    return MappingProxyType(found)


def _load(module: str, *, family: str, name: str) -> Strategy:
    strategy = getattr(importlib.import_module(module), "STRATEGY", None)
    if not isinstance(strategy, Strategy):
        raise ResearchError(f"{module} holds no STRATEGY; a file of a family defines exactly one.")
    if (strategy.family, strategy.name) != (family, name):
        raise ResearchError(f"{module} defines {strategy.family}/{strategy.name}; name and family are the file's.")
    return strategy
