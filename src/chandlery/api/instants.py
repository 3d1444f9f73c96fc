"""Times as callers write them: a date is midnight UTC, an instant needs its zone."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PLUS_LOST = re.compile(r"(T.*) (\d{2}:?\d{2})", re.ASCII)


def parse_instant(text: object) -> object:
    """Return an aware UTC datetime of an ISO 8601 date or instant; anything but a text as it is.

    Raises:
        ValueError: no such date, or an instant without a zone.
    """
    if not isinstance(text, str):
        return text
    if _DATE.fullmatch(text):
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    # A `+` that was not escaped arrives as a space.
    found = datetime.fromisoformat(_PLUS_LOST.sub(r"\1+\2", text)) if "T" in text else None
    if found is None or found.utcoffset() is None:
        raise ValueError(
            f"was {text!r}; give a date (2024-01-31, midnight UTC) or an instant with its zone (...T14:30Z)"
        )
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"was {text!r}, which lies outside the years 1 to 9999 in UTC") from None


def parse_session(text: object) -> object:
    """Return a date of the form 2024-01-31; anything but a text as it is.

    Raises:
        ValueError: any other form.
    """
    if not isinstance(text, str):
        return text
    if not _DATE.fullmatch(text):
        raise ValueError(f"was {text!r}; give a session as a date (2024-01-31)")
    return date.fromisoformat(text)


def instant_text(value: datetime) -> str:
    """Return a UTC instant as text to the microsecond, with Z."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Instant = Annotated[datetime, BeforeValidator(parse_instant), WithJsonSchema({"type": "string"})]
Session = Annotated[date, BeforeValidator(parse_session), WithJsonSchema({"type": "string", "format": "date"})]
