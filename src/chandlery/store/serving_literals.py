"""Literals for COPY, which takes no parameters: built from validated values only, here and nowhere else."""

import math
import re
from datetime import datetime

from chandlery.errors import InvalidInput

_WORD = re.compile(r"[A-Z0-9.:_-]{1,32}")


def word_literal(value: str) -> str:
    """Return a text literal of 1 to 32 of `A-Z a-z 0-9 . : _ -`.

    Raises:
        InvalidInput: any other character or length; nothing is escaped, it is refused.
    """
    if not _WORD.fullmatch(value.upper()) or not value.isascii():
        raise InvalidInput(f"A word in a query was {value!r}; it may hold 1 to 32 of A-Z a-z 0-9 . : _ -.")
    return f"'{value}'"


def instant_literal(value: datetime) -> str:
    """Return a timestamptz literal, to the microsecond.

    Raises:
        InvalidInput: the instant has no zone.
    """
    if value.utcoffset() is None:
        raise InvalidInput(f"An instant in a query was {value.isoformat()}, without a zone; give one (Z).")
    return f"'{value.isoformat(timespec='microseconds')}'::timestamptz"


def float_literal(value: float) -> str:
    """Return a float8 literal that reads back to the same double.

    Raises:
        InvalidInput: NaN or infinite.
    """
    if not math.isfinite(value):
        raise InvalidInput(f"A number in a query was {value}; it must be finite.")
    return f"'{float(value)!r}'::float8"


def count_literal(value: int) -> str:
    """Return an integer literal, 0 to 1,000,000.

    Raises:
        InvalidInput: outside that.
    """
    if not 0 <= value <= 1_000_000:
        raise InvalidInput(f"A count in a query was {value}; it must lie in 0 to 1,000,000.")
    return str(int(value))
