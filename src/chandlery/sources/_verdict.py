"""The verdict on one answer: HTTP status and body status decide together.

The vendor refuses with HTTP 401, 403 and also with HTTP 200 and a refusal in the body, so neither alone
is enough. Nothing here knows the HTTP library.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from chandlery.errors import BadPayload, NotEntitled, RateLimited, SourceError, Unavailable

Body = Mapping[str, object]

_SUCCESSES = frozenset({"OK", "DELAYED"})
_LONGEST_QUOTE = 200

_WRONG_KEY = "Set POLYGON_API_KEY or CHANDLERY_MASSIVE__API_KEY to a valid key"
_WRONG_PLAN = (
    "The key is known, but its plan does not cover this data or time frame (a future date is refused the same "
    "way): ask for closed sessions within the plan's history, or upgrade the plan"
)
_TOO_FAST = "Lower CHANDLERY_MASSIVE__CALLS_PER_MINUTE to what the plan allows and make sure no other process uses it"
_LATER = "Try again later; the vendor publishes outages on its status page"
_WRONG_ADDRESS = "Check CHANDLERY_MASSIVE__BASE_URL: it must be the vendor's API or a stand-in"
_UNDOCUMENTED = "Nothing was stored; compare the answer with the vendor's documentation"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer cannot be used, and whether asking again is worth a call."""

    error: type[SourceError]
    found: str
    advice: str
    retry: bool


def judge(status: int, content_type: str, content: bytes) -> Body | Failure:
    """Return the decoded body of a success, else what is wrong with the answer.

    Args:
        status: HTTP status.
        content_type: header of that name, empty if absent.
        content: the body.
    """
    if status != 200:
        return _refusal(status, _quoted(content))
    if content_type.split(";", maxsplit=1)[0].strip().lower() != "application/json":
        return Failure(
            BadPayload, f"HTTP 200 with content type {content_type!r}, not JSON", _WRONG_ADDRESS, retry=False
        )
    try:
        body = decode(content)
    except (ValueError, RecursionError):
        return Failure(BadPayload, f"{len(content)} bytes that end inside a JSON value", _LATER, retry=True)
    if not isinstance(body, dict):
        return Failure(BadPayload, f"JSON of type {type(body).__name__}, not an object", _UNDOCUMENTED, retry=False)
    return _by_body_status(body)


def decode(content: bytes) -> object:
    """Return the JSON value; NaN and Infinity, which JSON forbids and vendors send, are read as floats.

    Raises:
        ValueError: if it is not complete JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        value: object = json.loads(content)
        return value


def _refusal(status: int, quote: str) -> Failure:
    found = f"HTTP {status}{quote}"
    if status == 401:
        return Failure(NotEntitled, found, _WRONG_KEY, retry=False)
    if status == 403:
        return Failure(NotEntitled, found, _WRONG_PLAN, retry=False)
    if status == 429:
        return Failure(RateLimited, found, _TOO_FAST, retry=True)
    if status == 408 or status >= 500:
        return Failure(Unavailable, found, _LATER, retry=True)
    if status in (400, 413, 422):
        return Failure(BadPayload, found, "The vendor found the request malformed; " + _UNDOCUMENTED, retry=False)
    return Failure(BadPayload, found, _WRONG_ADDRESS, retry=False)


def _by_body_status(body: Body) -> Body | Failure:
    status = body.get("status")
    if status in _SUCCESSES:
        return body
    quote = _message_of(body)
    if status == "NOT_AUTHORIZED":
        return Failure(NotEntitled, f"HTTP 200 with status NOT_AUTHORIZED{quote}", _WRONG_PLAN, retry=False)
    found = f"HTTP 200 with body status {status!r}{quote}, not OK or DELAYED"
    return Failure(BadPayload, found, _UNDOCUMENTED, retry=False)


def _quoted(content: bytes) -> str:
    try:
        body = decode(content)
    except (ValueError, RecursionError):
        return ""
    return _message_of(body) if isinstance(body, dict) else ""


def _message_of(body: Body) -> str:
    text = body.get("message") or body.get("error")
    return f" saying {str(text)[:_LONGEST_QUOTE]!r}" if text else ""
