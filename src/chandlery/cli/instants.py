"""Instants and days as users write them."""

from datetime import UTC, date, datetime

from chandlery.errors import InvalidInput


def parse_instant(text: str | None, option: str) -> datetime | None:
    """Return an ISO date or time as an instant in UTC; no zone means UTC.

    Raises:
        InvalidInput: it is neither.
    """
    return None if text is None else required_instant(text, option)


def required_instant(text: str, option: str) -> datetime:
    """Return what `parse_instant` does of a text that must be there."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{option} was {text!r}; give an ISO date or time, for example 2013-02-28.") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_day(text: str | None, option: str) -> date | None:
    """Return an ISO date.

    Raises:
        InvalidInput: it is none.
    """
    return None if text is None else required_day(text, option)


def required_day(text: str, option: str) -> date:
    """Return what `parse_day` does of a text that must be there."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{option} was {text!r}; give an ISO date, for example 2013-02-28.") from error
