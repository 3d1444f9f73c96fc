"""YAML read strictly: a key given twice is a fault, not a silent last one."""

from collections.abc import Hashable
from pathlib import Path

import yaml

from chandlery.errors import ConfigError


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 (signature of the base class)
        seen: set[str] = set()
        for key, _ in node.value:
            text = str(getattr(key, "value", key))
            if text in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {text!r} is given twice", key.start_mark)
            seen.add(text)
        return super().construct_mapping(node, deep=deep)


def read_yaml(source: str | Path, *, what: str) -> object:
    """Return the document in `source`: the text itself, or the file at a `Path`.

    Raises:
        ConfigError: when the file cannot be read or the text is no YAML; `what` names it in the message.
    """
    if isinstance(source, Path):
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{what} was to be read from {source}: {error}. Give a readable UTF-8 file.") from error
        place = str(source)
    else:
        text, place = source, "the text given"
    try:
        document: object = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a SafeLoader that is stricter)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{what} in {place} is not valid YAML: {error}") from error
    return document
