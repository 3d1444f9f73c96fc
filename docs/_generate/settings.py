"""Settings: the page, and the file a user copies."""

import inspect
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from chandlery.settings import Settings
from docs._generate.tables import code, table

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", SecretStr: "secret"}


def settings() -> Iterator[str]:
    """Yield the page of settings."""
    yield "# Settings"
    yield ""
    yield "Read once at start from the environment, else from a file `.env` in the working directory"
    yield "(`cp .env.example .env`). A wrong value ends a command with status 2 and one message that lists every fault."
    for group, members in groupby(_variables(), key=lambda item: item[0]):
        title, _, rest = group.partition(". ")
        yield from ("", f"## {title.rstrip('.')}", "")
        if rest:
            yield from (rest, "")
        rows = [
            (code(variable), _kind(field.annotation), code(_default(field)), field.description)
            for _, variable, field in members
        ]
        yield from table(("variable", "type", "default", "meaning"), rows)


def environment_file() -> Iterator[str]:
    """Yield `.env.example`: every setting with its default, as a comment."""
    yield "# Settings of chandlery with their defaults. Copy to .env and change what differs; the environment wins."
    yield "# Written by `make docs` from the code. Do not edit."
    for group, members in groupby(_variables(), key=lambda item: item[0]):
        yield from ("", f"# --- {group}")
        for _, variable, field in members:
            yield f"# {field.description} [{_kind(field.annotation)}]"
            yield f"#{variable}={_default(field)}"


def _variables() -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield (description of the group, variable, field) of every setting, in the order of the classes."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for inner, member in kind.model_fields.items():
                yield inspect.getdoc(kind) or name, f"CHANDLERY_{name}__{inner}".upper(), member
        else:
            yield "The installation.", str(field.validation_alias or f"CHANDLERY_{name}".upper()), field


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or isinstance(value, SecretStr):
        return ""
    return json.dumps(value) if isinstance(value, bool | tuple) else str(value)


def _kind(annotation: object) -> str:
    choices = get_args(annotation)
    if get_origin(annotation) is tuple:
        return "JSON list"
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(choices)
    if choices:
        return _kind(next(choice for choice in choices if choice is not type(None)))
    return _WORDS[annotation]  # type: ignore[index]
