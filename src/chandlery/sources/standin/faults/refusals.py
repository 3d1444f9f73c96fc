"""Refusals: answers of a provider, or of something in between, that hold no data."""

from dataclasses import replace
from http import HTTPStatus

import orjson

from chandlery.sources.standin.faults.fault import Fault

_REFUSAL = "You are not entitled to this data. Please upgrade your plan."


def too_many_requests(*, retry_after: str | None = None, has_body: bool = True) -> Fault:
    """HTTP 429; `retry_after` is seconds or an HTTP date, None leaves the header out."""
    message = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
    fault = _refused(HTTPStatus.TOO_MANY_REQUESTS, "ERROR", error=message)
    return replace(fault, body=fault.body if has_body else b"", retry_after=retry_after)


def server_error(status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> Fault:
    """HTTP 5xx with the web page a gateway would send."""
    return Fault(status=status, body=b"<html><body>upstream error</body></html>", content_type="text/html")


def payload_too_large() -> Fault:
    """HTTP 413, as for a window with more bars than the provider cares to collect."""
    return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "ERROR", error="Payload too large.")


def unauthorized() -> Fault:
    """HTTP 401, as for a key that was revoked in mid-run."""
    return _refused(HTTPStatus.UNAUTHORIZED, "ERROR", error="Unknown API Key")


def forbidden(*, has_message: bool = True) -> Fault:
    """HTTP 403, as for data outside the plan; the words stand in `message` or, in the second shape, in `error`."""
    if has_message:
        return _refused(HTTPStatus.FORBIDDEN, "NOT_AUTHORIZED", message=_REFUSAL)
    return _refused(HTTPStatus.FORBIDDEN, "ERROR", error=_REFUSAL)


def not_authorized_in_body() -> Fault:
    """HTTP 200 with the refusal in the body."""
    return _refused(HTTPStatus.OK, "NOT_AUTHORIZED", message=_REFUSAL)


def html_page() -> Fault:
    """HTTP 200 with a web page, as from a captive portal."""
    return Fault(body=b"<html><body>Please log in</body></html>", content_type="text/html")


def _refused(http_status: int, status: str, **words: str) -> Fault:
    return Fault(status=http_status, body=orjson.dumps({"status": status, "request_id": "fault", **words}))
