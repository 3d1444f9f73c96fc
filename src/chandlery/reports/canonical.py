"""One byte form of a document: sorted keys, floats at 10 significant digits, UTF-8, no NaN."""

import hashlib
import json
import math
from collections.abc import Mapping

from chandlery.errors import InvalidInput

_DIGITS = 10


def canonical(value: object) -> object:
    """Return `value` with every float at 10 significant digits and -0.0 as 0.0.

    Ten digits absorb the order in which a linear algebra library adds. Mappings become dicts, sequences lists.

    Raises:
        InvalidInput: for NaN, infinity, or a type JSON does not have.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(f"A document held {value}; a figure without value is null with a status.")
        return float(f"{value:.{_DIGITS}g}") + 0.0
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    raise InvalidInput(f"A document held a {type(value).__name__}; give plain str, int, float, list and dict.")


def to_json_bytes(document: Mapping[str, object]) -> bytes:
    """Return the canonical JSON of `document`; equal documents give equal bytes.

    Raises:
        InvalidInput: for NaN, infinity, or a type JSON does not have.
    """
    text = json.dumps(canonical(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", errors="strict")


def digest(document: Mapping[str, object]) -> str:
    """Return the SHA-256 of the canonical JSON of `document`, in hex."""
    return hashlib.sha256(to_json_bytes(document)).hexdigest()
