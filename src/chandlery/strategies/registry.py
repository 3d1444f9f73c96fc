"""The registry: every definition of the library, found by walking the family packages."""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from chandlery.errors import ResearchError, UnknownStrategy
from chandlery.strategies.definition import Strategy
from chandlery.strategies.portfolios import Pair, Portfolio, Rotation

D = TypeVar("D", bound=Strategy | Portfolio)

_MULTI_ASSET = {"multi_asset"}
"""Families of strategies over several symbols."""

_NO_FAMILY = {"operations"}
"""Packages beside the families: the words definitions are written in."""


def all_strategies() -> Mapping[str, Strategy]:
    """Return every strategy of one symbol by name, sorted by family and name.

    Raises:
        ResearchError: if a file holds no `STRATEGY`, or one whose name or family is not the file's.
    """
    return _walk()


def all_portfolios() -> Mapping[str, Portfolio]:
    """Return every strategy over several symbols by name, sorted by family and name.

    Raises:
        ResearchError: if a file holds no `STRATEGY`, or one whose name or family is not the file's.
    """
    return _walk_portfolios()


def catalogue() -> Mapping[str, Strategy | Portfolio]:
    """Return every definition by name: strategies of one symbol, then those over several.

    Raises:
        ResearchError: as the two above, or for a name that is taken twice.
    """
    single, several = all_strategies(), all_portfolios()
    if twice := set(single) & set(several):
        raise ResearchError(f"Strategy names {', '.join(sorted(twice))} are taken twice; names are unique.")
    return MappingProxyType({**single, **several})


def get_strategy(name: str) -> Strategy:
    """Return the strategy of one symbol called `name`.

    Raises:
        UnknownStrategy: naming the nearest ones.
    """
    return _named(name, all_strategies())


def get_portfolio(name: str) -> Portfolio:
    """Return the strategy over several symbols called `name`.

    Raises:
        UnknownStrategy: naming the nearest ones.
    """
    return _named(name, all_portfolios())


def get_definition(name: str) -> Strategy | Portfolio:
    """Return the definition called `name`, of one symbol or several.

    Raises:
        UnknownStrategy: naming the nearest ones.
    """
    return _named(name, catalogue())


def _named(name: str, strategies: Mapping[str, D]) -> D:
    if name not in strategies:
        near = difflib.get_close_matches(name, strategies, n=3, cutoff=0.4)
        hint = f"near matches are {', '.join(near)}" if near else f"known are {', '.join(strategies)}"
        raise UnknownStrategy(f"Strategy was {name!r}; there is none of that name, {hint}.")
    return strategies[name]


@cache
def _walk() -> Mapping[str, Strategy]:
    here = Path(__file__).parent
    families = {info.name for info in pkgutil.iter_modules([str(here)]) if info.ispkg}
    return _found(families - _NO_FAMILY - _MULTI_ASSET, (Strategy,))


@cache
def _walk_portfolios() -> Mapping[str, Portfolio]:
    return _found(_MULTI_ASSET, (Rotation, Pair))


def _found(families: set[str], types: tuple[type[D], ...]) -> Mapping[str, D]:
    here = Path(__file__).parent
    package = __name__.rpartition(".")[0]
    found: dict[str, D] = {}
    for family in sorted(families):
        for info in sorted(pkgutil.iter_modules([str(here / family)]), key=lambda info: info.name):
            strategy = _load(f"{package}.{family}.{info.name}", types, family=family, name=info.name)
            if strategy.name in found:
                raise ResearchError(f"Strategy name {strategy.name} is taken twice; names are unique over families.")
            found[strategy.name] = strategy
    return MappingProxyType(found)


def _load(module: str, types: tuple[type[D], ...], *, family: str, name: str) -> D:
    strategy = getattr(importlib.import_module(module), "STRATEGY", None)
    if not isinstance(strategy, types):
        raise ResearchError(f"{module} holds no STRATEGY; a file of a family defines exactly one.")
    if (strategy.family, strategy.name) != (family, name):
        raise ResearchError(f"{module} defines {strategy.family}/{strategy.name}; name and family are the file's.")
    return strategy
