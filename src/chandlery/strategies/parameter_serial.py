"""JSON form of a parameter."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chandlery.strategies.parameters import Float, Int, Parameter

_TYPES: dict[str, type[Int] | type[Float]] = {"int": Int, "float": Float}


def parameter_document(name: str, parameter: Parameter) -> dict[str, Any]:
    """Return the JSON document of one parameter."""
    return {"name": name, "type": type(parameter).__name__.lower(), **asdict(parameter)}


def parameter_from(entry: Mapping[str, Any]) -> Parameter:
    """Return the parameter of a JSON document.

    Raises:
        BadParameters: if range, step and default do not fit together.
    """
    fields = {key: value for key, value in entry.items() if key not in {"name", "type"}}
    return _TYPES[entry["type"]](**fields)
