"""Families of rules: every module of a package that has `RULES`, so that a new rule touches its own file alone."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

_Rule = TypeVar("_Rule")
_NO_FAMILY = {"registry", "rule", "view"}


def families_of(package: ModuleType, kind: type[_Rule]) -> Mapping[str, tuple[_Rule, ...]]:
    """Return the rules of each module of `package` by its name, ascending.

    Raises:
        TypeError: a module's `RULES` hold something else than `kind`.
    """
    found: dict[str, tuple[_Rule, ...]] = {}
    for name in sorted(module.name for module in iter_modules(package.__path__)):
        rules = () if name in _NO_FAMILY else getattr(import_module(f"{package.__name__}.{name}"), "RULES", ())
        if not all(isinstance(rule, kind) for rule in rules):
            raise TypeError(f"RULES of {package.__name__}.{name} were to be of {kind.__name__} alone.")
        if rules:
            found[name] = tuple(rules)
    return found
