"""JSON form of the declared rules: their fields by name, expressions as documents, absent ones left out."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from chandlery.errors import ResearchError
from chandlery.strategies.expression_serial import expression_document, expression_from
from chandlery.strategies.expressions import Expression
from chandlery.strategies.rule_checks import Rule
from chandlery.strategies.rules import (
    Adds,
    Basis,
    Bracket,
    Distance,
    EntryOrder,
    OrderKind,
    Session,
    Sizing,
    SizingKind,
    Trail,
)

Document = dict[str, Any]
Reader = Callable[[Any], Any]


def rule_document(rule: Rule) -> Document:
    """Return the JSON document of one rule."""
    return _document(rule)


def rule_from(name: str, document: Mapping[str, Any]) -> Rule:
    """Return the rule called `name` of a JSON document.

    Raises:
        ResearchError: for a field the rule does not have.
    """
    return _READERS[name](document)  # type: ignore[no-any-return]


def _document(rule: object) -> Document:
    found = {field.name: getattr(rule, field.name) for field in fields(rule)}  # type: ignore[arg-type]
    return {name: _value(value) for name, value in found.items() if value is not None}


def _value(value: object) -> object:
    match value:
        case Expression():
            return expression_document(value)
        case StrEnum() | bool() | int():
            return value
        case _:
            return _document(value)


def _reader(kind: type[Any], /, **readers: Reader) -> Reader:
    def read(document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of the rules
        known = {field.name for field in fields(kind)}
        if unknown := set(document) - known:
            raise ResearchError(
                f"A {kind.__name__} was read with {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}."
            )
        return kind(**{name: readers.get(name, _plain)(value) for name, value in document.items()})

    return read


def _plain(value: object) -> object:
    return value


_distance = _reader(Distance, value=expression_from, basis=Basis)
_trail = _reader(Trail, offset=_distance, activation=_distance)
_order = _reader(EntryOrder, kind=OrderKind, level=expression_from, cancel=expression_from)
_bracket = _reader(Bracket, stop=_distance, limit=_distance, trail=_trail, max_bars=expression_from)

_READERS: dict[str, Reader] = {
    "long_order": _order,
    "short_order": _order,
    "long_bracket": _bracket,
    "short_bracket": _bracket,
    "adds": _reader(Adds, distance=_distance),
    "sizing": _reader(Sizing, kind=SizingKind, value=expression_from),
    "session": _reader(Session),
}
