"""Queries: what a request asks for, read the way the vendor reads it."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from chandlery.market.timeframes import Timeframe
from chandlery.sources.sessions import local_midnight, zone_of

DEFAULT_LIMIT = 5_000
MAX_LIMIT = 50_000
_SPANS = {"minute": Timeframe.M1, "day": Timeframe.D1}
_MINUTE_MS = 60_000
# Midnight in New York of 1969-12-31 and 1970-01-01 has eight digits.
_MILLISECONDS = re.compile(r"-?\d{5,14}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadQueryError(ValueError):
    """A request the vendor answers with HTTP 400; the text becomes the body's `error`."""


@dataclass(frozen=True, slots=True)
class BarsQuery:
    """One request for aggregates."""

    symbol: str
    timeframe: Timeframe
    start: int
    """First `t` wanted, ms."""
    end: int
    """First `t` no longer wanted, ms."""
    is_adjusted: bool
    is_descending: bool
    limit: int


def read_bars_query(path: Mapping[str, str], query: Mapping[str, str]) -> BarsQuery:
    """Return the request of a path `{ticker}/range/{multiplier}/{timespan}/{from}/{to}`.

    `from` and `to` are days (whole, local to the exchange) or milliseconds; `from` snaps back and `to` forward
    to the borders of the bar they fall into.

    Raises:
        BadQueryError: for anything the vendor or this stand-in refuses.
    """
    if path["multiplier"] != "1" or path["timespan"] not in _SPANS:
        raise BadQueryError(f"the stand-in serves 1/minute and 1/day, not {path['multiplier']}/{path['timespan']}")
    symbol, timeframe = path["ticker"], _SPANS[path["timespan"]]
    asked = {**query, **read_cursor(query)}
    sort = asked.get("sort", "asc")
    if sort not in ("asc", "desc"):
        raise BadQueryError(f"Could not parse the sort: '{sort}'")
    start, _ = _bar_around(path["from"], symbol, timeframe, name="from")
    _, end = _bar_around(path["to"], symbol, timeframe, name="to")
    if end <= start:
        raise BadQueryError("The parameter 'to' cannot be a time that occurs before 'from'")
    return BarsQuery(
        symbol=symbol,
        timeframe=timeframe,
        start=start,
        end=end,
        is_adjusted=asked.get("adjusted", "true").lower() != "false",
        is_descending=sort == "desc",
        limit=read_limit(asked, default=DEFAULT_LIMIT, largest=MAX_LIMIT),
    )


def read_day(text: str, *, name: str) -> date:
    """Return a day written YYYY-MM-DD.

    Raises:
        BadQueryError: if it is none.
    """
    message = f"Could not parse the time parameter '{name}'. Use YYYY-MM-DD or Unix MS Timestamps"
    if not _DAY.fullmatch(text):
        raise BadQueryError(message)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadQueryError(message) from error


def read_limit(query: Mapping[str, str], *, default: int, largest: int) -> int:
    """Return the page size asked for, at most `largest`.

    Raises:
        BadQueryError: unless it is a positive whole number.
    """
    text = query.get("limit", str(default))
    if not text.isdecimal() or int(text) < 1:
        raise BadQueryError(f"Could not parse the limit: '{text}'")
    return min(int(text), largest)


def write_cursor(query: Mapping[str, object]) -> str:
    """Return a query as the vendor writes cursors: a query string in unpadded base64."""
    return base64.urlsafe_b64encode(urlencode(query).encode()).decode().rstrip("=")


def read_cursor(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query inside the parameter `cursor`, empty if there is none.

    Raises:
        BadQueryError: if it is no cursor.
    """
    text = query.get("cursor", "")
    try:
        return dict(
            parse_qsl(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode(), strict_parsing=bool(text))
        )
    except (binascii.Error, ValueError) as error:
        raise BadQueryError(f"Could not parse the cursor: '{text}'") from error


def _bar_around(text: str, symbol: str, timeframe: Timeframe, *, name: str) -> tuple[int, int]:
    if _MILLISECONDS.fullmatch(text):
        stamp = int(text)
        if timeframe is Timeframe.M1:
            start = stamp // _MINUTE_MS * _MINUTE_MS
            return start, start + _MINUTE_MS
        moment = datetime.fromtimestamp(stamp / 1000, tz=UTC)
        return _whole_day(moment.astimezone(ZoneInfo(zone_of(symbol))).date(), symbol)
    try:
        return _whole_day(read_day(text, name=name), symbol)
    except OverflowError as error:
        raise BadQueryError(f"Could not parse the time parameter '{name}': '{text}' is beyond the calendar") from error


def _whole_day(day: date, symbol: str) -> tuple[int, int]:
    return local_midnight(day, symbol), local_midnight(day + timedelta(days=1), symbol)
