"""The words of definitions: indicators and operations, from their docstrings and the registry."""

import inspect
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from chandlery import indicators as functions
from chandlery.indicators import OPS
from chandlery.strategies import operations
from chandlery.strategies.expressions import PRICES, TIME_PARTS
from chandlery.strategies.operations import (
    arithmetic,
    averages,
    dispersion,
    extremes,
    legs,
    oscillators,
    ranges,
    totals,
)
from docs._generate.tables import code, table

_MODULES = (averages, dispersion, oscillators, ranges, extremes, totals, arithmetic, legs)
_REGISTERED = {"absolute": "abs", "maximum": "max", "minimum": "min", "power": "pow", "total": "sum"}
"""Words whose operation has another name, because Python has taken theirs."""


def indicators() -> Iterator[str]:
    """Yield the page of words."""
    yield "# Indicators and operations"
    yield ""
    yield "The words of `chandlery.strategies.operations`. Each builds an expression; the numbers are those of the"
    yield "function of the same name in `chandlery.indicators`, which takes arrays. Semantics are Pine v6's: `NaN` is"
    yield "`na`, a comparison with it is false, value `i` depends on bars `0..i` only, warm-up counts leading bars"
    yield "without an answer. Comparisons of numbers allow a tolerance of 1e-10. Python's operators"
    yield "`+ - * / % > >= < <= & | ~` and `x[1]`, the value one bar ago, work on every expression."
    yield from ("", "## Series", "")
    yield f"{_listed(PRICES)} (written `open_` in Python), and of the bar's open in the time zone of the panel"
    yield f"{_listed(TIME_PARTS)}; `minute_of_day`, `new_day` and `new_month` are made of those."
    for module in _MODULES:
        yield from _module(module)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(code(name) for name in names)


def _module(module: ModuleType) -> Iterator[str]:
    title = (module.__doc__ or "").splitlines()[0].split(":")[0].rstrip(".")
    words = [
        (name, word)
        for name, word in vars(module).items()
        if isinstance(word, FunctionType) and word.__module__ == module.__name__ and name in operations.__all__
    ]
    yield from ("", f"## {title}", "")
    rows = ((code(f"{name}({_operands(word)})"), _meaning(name, word), code(_pine(name))) for name, word in words)
    yield from table(("word", "meaning", "Pine"), rows)


def _operands(word: Callable[..., Any]) -> str:
    given = inspect.signature(word).parameters.values()
    return ", ".join(p.name if p.default in {p.empty, None} else f"{p.name}={_default(p.default)}" for p in given)


def _default(value: object) -> str:
    return str(value) if isinstance(value, int | float | bool) else "new_day"


def _meaning(name: str, word: Callable[..., Any]) -> str:
    """Return the docstring of the function of that name, else of the word, without its errors."""
    function = getattr(functions, name, None)
    if not isinstance(function, FunctionType):
        registered = OPS.get(_REGISTERED.get(name, name))
        function = word if registered is None else registered.reference
    text = inspect.cleandoc(function.__doc__ or word.__doc__ or "")
    return text.split("\nRaises:")[0].strip()


def _pine(name: str) -> str:
    registered = OPS.get(_REGISTERED.get(name, name))
    text = "" if registered is None else registered.pine
    return text.split("(")[0] if text.startswith(("ta.", "math.", "nz", "fixnan", "na(")) else ""
