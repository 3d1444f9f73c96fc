"""Cursors: where a listing goes on, sealed so that it cannot be changed or moved to another query.

A cursor is base64url of 16 bytes of HMAC-SHA-256 and the JSON array of the last row's key. The HMAC covers the
query the cursor belongs to (path, filters, order; not limit and format), which itself is not in the cursor.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

import orjson

from chandlery.api.refusals import BadCursor

MAX_LENGTH = 512
_SEAL_BYTES = 16


def seal_cursor(position: Sequence[str], *, query: str, secret: bytes) -> str:
    """Return the cursor of a position within a query."""
    body = orjson.dumps(list(position))
    return base64.urlsafe_b64encode(_seal(body, query, secret) + body).rstrip(b"=").decode("ascii")


def open_cursor(text: str, *, query: str, secret: bytes) -> tuple[str, ...]:
    """Return the position a cursor holds.

    Raises:
        BadCursor: it was changed, cut, or made for another query or by another installation.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    seal, body = data[:_SEAL_BYTES], data[_SEAL_BYTES:]
    # The last character carries spare bits that decoding ignores; encoding again finds a change there.
    canonical = base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
    if canonical != text or not hmac.compare_digest(seal, _seal(body, query, secret)):
        raise BadCursor(
            "The cursor was checked against this query and does not belong to it. Follow `next` unchanged, or start "
            "again without a cursor; limit, layout and format may change between pages, filters and order may not."
        )
    return tuple(orjson.loads(body))


def _seal(body: bytes, query: str, secret: bytes) -> bytes:
    return hmac.digest(secret, query.encode() + b"\0" + body, hashlib.sha256)[:_SEAL_BYTES]
