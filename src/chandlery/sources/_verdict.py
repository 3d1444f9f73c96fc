"""The verdict on one answer: HTTP status and body status decide together.

The vendor refuses with HTTP 401, 403 and also with HTTP 200 and a refusal in the body, so neither alone
is enough. Nothing here knows the HTTP library.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from chandlery.errors import BadPayload, NotEntitled, RateLimited, SourceError, Unavailable
from chandlery.sources._csv import read_csv

Body = Mapping[str, object]

_SUCCESSES = frozenset({"OK", "DELAYED"})
_LONGEST_QUOTE = 200
_LONGEST_INTEGER = 18
"""Digits that surely fit 64 bits."""
_REQUEST_ID = re.compile(rb'"request_id"\s*:\s*"([^"\\]{1,200})"')

_WRONG_KEY = "Set POLYGON_API_KEY or CHANDLERY_MASSIVE__API_KEY to a valid key"
_WRONG_PLAN = (
    "The key is known, but its plan does not cover this data or time frame (a future date is refused the same "
    "way): ask for closed sessions within the plan's history, or upgrade the plan"
)
_TOO_FAST = "Lower CHANDLERY_MASSIVE__CALLS_PER_MINUTE to what the plan allows and make sure no other process uses it"
_LATER = "Try again later; the vendor publishes outages on its status page"
_WRONG_ADDRESS = "Check CHANDLERY_MASSIVE__BASE_URL: it must be the vendor's API or a stand-in"
_UNDOCUMENTED = "Nothing was stored; compare the answer with the vendor's documentation"
_MALFORMED = "The vendor found the request malformed; " + _UNDOCUMENTED


class AnswerTooLarge(BadPayload):
    """HTTP 413, or a full page that cannot be continued: asking for less can help."""

    attempts: int = 0
    """Requests that were spent on it."""


class Absent(BadPayload):
    """The provider answered as documented that it has no such thing."""


_REFUSALS: Mapping[int, tuple[type[SourceError], str, bool]] = {
    400: (BadPayload, _MALFORMED, False),
    401: (NotEntitled, _WRONG_KEY, False),
    403: (NotEntitled, _WRONG_PLAN, False),
    408: (Unavailable, _LATER, True),
    413: (AnswerTooLarge, "Ask for fewer sessions at a time", False),
    422: (BadPayload, _MALFORMED, False),
    429: (RateLimited, _TOO_FAST, True),
}
"""HTTP status -> error, advice, whether asking again can help."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A usable answer: its JSON object, or its CSV rows under `results`."""

    body: Body
    is_csv: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer cannot be used, and whether asking again is worth a call."""

    error: type[SourceError]
    found: str
    advice: str
    retry: bool


def judge(status: int, content_type: str, content: bytes, *, is_list: bool = False) -> Decoded | Failure:
    """Return the decoded body of a success, else what is wrong with the answer.

    Args:
        status: HTTP status.
        content_type: header of that name, empty if absent.
        content: the body.
        is_list: the documented answer is a bare JSON list; it comes back under `results`.
    """
    if status != 200:
        return refusal(status, content)
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "text/csv" and not is_list:
        return _judge_csv(content)
    if kind == "application/json":
        return _judge_json(content, is_list=is_list)
    found = f"HTTP 200 with content type {content_type!r}, not JSON"
    return Failure(BadPayload, found, _WRONG_ADDRESS, retry=False)


def decode(content: bytes) -> object:
    """Return the JSON value; NaN, Infinity and numbers beyond all floats, which vendors do send, are read as floats.

    Raises:
        ValueError: if it is not complete JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        value: object = json.loads(
            content, parse_int=lambda text: int(text) if len(text) <= _LONGEST_INTEGER else float(text)
        )
        return value


def refusal(status: int, content: bytes) -> Failure:
    """Return what an HTTP status other than success means."""
    found = f"HTTP {status}{_quoted(content)}"
    if status == 404 and _object(content).get("status") == "NOT_FOUND":
        return Failure(Absent, found, _UNDOCUMENTED, retry=False)
    if status >= 500:
        return Failure(Unavailable, found, _LATER, retry=True)
    error, advice, retry = _REFUSALS.get(status, (BadPayload, _WRONG_ADDRESS, False))
    return Failure(error, found, advice, retry=retry)


def request_id_in(content: bytes) -> str | None:
    """Return the `request_id` a body names, None if it names none; found by its text, so that no body is read twice."""
    found = _REQUEST_ID.search(content)
    return found[1].decode("ascii", errors="replace") if found else None


def _judge_json(content: bytes, *, is_list: bool) -> Decoded | Failure:
    try:
        body = decode(content)
    except (ValueError, RecursionError):
        return Failure(BadPayload, f"{len(content)} bytes that end inside a JSON value", _LATER, retry=True)
    if is_list and isinstance(body, list):
        return Decoded({"results": body})
    if not isinstance(body, dict):
        return Failure(BadPayload, f"JSON of type {type(body).__name__}, not an object", _UNDOCUMENTED, retry=False)
    return _by_body_status(body, is_list=is_list)


def _judge_csv(content: bytes) -> Decoded | Failure:
    try:
        rows = read_csv(content)
    except ValueError as error:
        return Failure(BadPayload, f"{len(content)} bytes that are no whole CSV ({error})", _LATER, retry=True)
    return Decoded({"status": "OK", "results": rows}, is_csv=True)


def _by_body_status(body: Body, *, is_list: bool) -> Decoded | Failure:
    status = body.get("status")
    if status in _SUCCESSES and not is_list:
        return Decoded(body)
    quote = _message_of(body)
    if status == "NOT_AUTHORIZED":
        return Failure(NotEntitled, f"HTTP 200 with status NOT_AUTHORIZED{quote}", _WRONG_PLAN, retry=False)
    wanted = "a JSON list" if is_list else "OK or DELAYED"
    found = f"HTTP 200 with body status {status!r}{quote}, not {wanted}"
    return Failure(BadPayload, found, _UNDOCUMENTED, retry=False)


def _object(content: bytes) -> Body:
    try:
        body = decode(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _quoted(content: bytes) -> str:
    return _message_of(_object(content))


def _message_of(body: Body) -> str:
    text = body.get("message") or body.get("error")
    return f" saying {str(text)[:_LONGEST_QUOTE]!r}" if text else ""
