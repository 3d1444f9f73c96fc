"""JSON form of what every definition begins with."""

from typing import Any

from chandlery.strategies.expression_serial import expression_document, expression_from
from chandlery.strategies.head import Head
from chandlery.strategies.parameter_serial import parameter_document, parameter_from


def head_document(head: Head) -> dict[str, Any]:
    """Return identity, parameters and names; what has an order is a list."""
    return {
        "name": head.name,
        "version": head.version,
        "family": head.family,
        "title": head.title,
        "doc": head.doc,
        "refs": list(head.refs),
        "params": [parameter_document(name, parameter) for name, parameter in head.params.items()],
        "constraints": [expression_document(constraint) for constraint in head.constraints],
        "let": [{"name": name, "value": expression_document(value)} for name, value in head.let.items()],
    }


def head_from(document: dict[str, Any]) -> dict[str, Any]:
    """Return what `head_document` wrote as arguments of a definition.

    Raises:
        KeyError: for a part that is missing.
        TypeError: for a part of another type.
        ResearchError: for an expression or parameter that is malformed.
    """
    return {
        **{name: document[name] for name in ("name", "version", "family", "title", "doc")},
        "refs": tuple(document["refs"]),
        "params": {entry["name"]: parameter_from(entry) for entry in document["params"]},
        "constraints": tuple(expression_from(constraint) for constraint in document["constraints"]),
        "let": {entry["name"]: expression_from(entry["value"]) for entry in document["let"]},
    }
