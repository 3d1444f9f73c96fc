"""What only the API refuses: keys, scopes and cursors."""

from typing import ClassVar

from chandlery.errors import ChandleryError, InvalidInput


class BadCursor(InvalidInput):
    """A cursor that was changed, or belongs to another query."""

    code = "bad_cursor"


class KeyRefused(ChandleryError):
    """A request without a usable key; never raised itself."""

    challenge: ClassVar[str] = 'Bearer realm="chandlery", error="invalid_token"'


class KeyMissing(KeyRefused):
    """No key was sent."""

    code = "key_missing"
    challenge = 'Bearer realm="chandlery"'


class KeyInvalid(KeyRefused):
    """Wrong form or checksum, unknown id or wrong secret."""

    code = "key_invalid"


class KeyExpired(KeyRefused):
    """A right key after its time."""

    code = "key_expired"


class KeyRevoked(KeyRefused):
    """A right key that was taken back."""

    code = "key_revoked"


class ScopeMissing(KeyRefused):
    """A right key that may not read this."""

    code = "scope_missing"
    challenge = 'Bearer realm="chandlery", error="insufficient_scope"'
