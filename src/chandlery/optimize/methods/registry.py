"""The registry of methods, found by walking this package."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from chandlery.errors import InvalidInput
from chandlery.optimize.methods.plan import Method


def all_methods() -> Mapping[str, Method]:
    """Return every method by name."""
    return _walk()


def get_method(name: str) -> Method:
    """Return the method called `name`.

    Raises:
        InvalidInput: listing the names there are.
    """
    if name not in _walk():
        raise InvalidInput(f"No search method is called {name!r}; there are {', '.join(_walk())}.")
    return _walk()[name]


@cache
def _walk() -> Mapping[str, Method]:
    package = __name__.rpartition(".")[0]
    found = {}
    for info in sorted(pkgutil.iter_modules([str(Path(__file__).parent)]), key=lambda info: info.name):
        method = getattr(importlib.import_module(f"{package}.{info.name}"), "METHOD", None)
        if isinstance(method, Method):
            found[method.name] = method
    return MappingProxyType(found)
