"""Fields of reference rows: read with their type, or refused with the place they stand in."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from chandlery.errors import BadPayload

Row = Mapping[str, object]


def text_of(place: str, row: Row, key: str) -> str:
    """Return a text that must be there.

    Raises:
        BadPayload: if it is absent, empty or no text.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise BadPayload(f"{place} has a row whose {key} is {value!r}, not a text; nothing was stored.")
    return value


def optional_text(place: str, row: Row, key: str) -> str | None:
    """Return a text, None where there is none or an empty one.

    Raises:
        BadPayload: if it is no text.
    """
    return text_of(place, row, key) if row.get(key) not in (None, "") else None


def day_of(place: str, row: Row, key: str) -> date:
    """Return a day that must be there.

    Raises:
        BadPayload: if it is absent or no date.
    """
    day = optional_day(place, row, key)
    if day is None:
        raise BadPayload(f"{place} has a row without {key}; nothing was stored.")
    return day


def optional_day(place: str, row: Row, key: str) -> date | None:
    """Return a day, None where there is none; of an instant its first ten characters.

    Raises:
        BadPayload: if it is no date.
    """
    value = row.get(key)
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise BadPayload(f"{place} has a row whose {key} is {value!r}, not a date; nothing was stored.") from error


def optional_instant(place: str, row: Row, key: str) -> datetime | None:
    """Return an instant in UTC, None where there is none.

    Raises:
        BadPayload: if it is no instant with a zone.
    """
    text = optional_text(place, row, key)
    if text is None:
        return None
    refusal = BadPayload(f"{place} has a row whose {key} is {text!r}, not an instant; nothing was stored.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise refusal from error
    if moment.tzinfo is None:
        raise refusal
    return moment.astimezone(UTC)


def shares_of(place: str, row: Row, key: str) -> Fraction:
    """Return a number of shares, more than 0, exactly as printed.

    Raises:
        BadPayload: if it is no such number.
    """
    value = row.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise BadPayload(f"{place} has a row whose {key} is {value!r}, not a number above 0; nothing was stored.")
    return Fraction(str(value))


def cash_of(place: str, row: Row, key: str) -> Decimal:
    """Return an amount of money exactly as printed; it may be 0 or negative, judging is not done here.

    Raises:
        BadPayload: if it is no finite number.
    """
    value = row.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < float("inf"):
        raise BadPayload(f"{place} has a row whose {key} is {value!r}, not an amount; nothing was stored.")
    return Decimal(str(value))


def optional_count(place: str, row: Row, key: str) -> int | None:
    """Return a whole number, None where there is none.

    Raises:
        BadPayload: if it is no whole number.
    """
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise BadPayload(f"{place} has a row whose {key} is {value!r}, not a whole number; nothing was stored.")
    return int(value)


def check_ticker(place: str, row: Row, symbol: str) -> None:
    """Refuse a row of another ticker than the one asked for.

    Raises:
        BadPayload: if it is another, or none.
    """
    if row.get("ticker") != symbol:
        raise BadPayload(f"{place} was asked for {symbol} and holds {row.get('ticker')!r}; nothing was stored.")
