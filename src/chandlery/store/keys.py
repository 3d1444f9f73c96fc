"""API keys: their form, and the commands that create, list and revoke them (role `auth`).

A key is `cdl_live_<id 8>_<secret 43>_<checksum 6>` in base62: the secret carries 256 bits, the checksum is the
CRC-32 of what precedes it, so a mistyped key is refused without a lookup. Only the salted SHA-256 of the secret
is stored; a slow password hash would add nothing against 256 random bits and hand every caller a costly request.
"""

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, select

from chandlery.errors import InvalidInput, NotFound
from chandlery.store.tables import api_keys
from chandlery.store.warehouse import Warehouse

SCOPES = ("read:candles", "read:quality", "read:research", "read:risk")
"""What a key may be allowed to read."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"cdl_live_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})", re.ASCII)
_SALT_BYTES = 16
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as it may be shown: everything but the secret."""

    key_id: str
    preview: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as a caller sent it, well-formed and with a right checksum; not yet known to be ours."""

    key_id: str
    secret: str


def create_key(
    warehouse: Warehouse,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> tuple[str, KeyRecord]:
    """Create a key and return (its text, which is never shown again; its record).

    Args:
        warehouse: where it is stored.
        name: whose key it is, 1 to 100 characters.
        scopes: some of `SCOPES`.
        expires_at: aware instant after `now`, or None for a key that does not expire.
        now: the present instant.
        entropy: returns that many random bytes (`secrets.token_bytes`).

    Raises:
        InvalidInput: name, scopes or expiry cannot work as given.
        DatabaseDown: no connection.
    """
    chosen = _checked(name, scopes, expires_at, now)
    plain = _assemble(key_id=_base62(entropy(8), 8), secret=_base62(entropy(32), 43))
    presented = parse_key(plain)
    if presented is None:
        raise InvalidInput("The key just made does not parse; the entropy source must return as many bytes as asked.")
    salt = entropy(_SALT_BYTES)
    values = {
        "key_id": presented.key_id,
        "secret_hash": hash_secret(presented.secret, salt),
        "salt": salt,
        "preview": f"cdl_live_{presented.key_id}_…{plain[-4:]}",
        "name": name.strip(),
        "scopes": list(chosen),
        "created_at": now,
        "expires_at": expires_at,
    }
    with warehouse.write("auth") as connection:
        row = connection.execute(api_keys.insert().values(**values).returning(*_SHOWN)).mappings().one()
    return plain, _record(row)


def list_keys(warehouse: Warehouse) -> tuple[KeyRecord, ...]:
    """Return every key, oldest first, revoked and expired ones included."""
    with warehouse.read("auth") as connection:
        rows = connection.execute(select(*_SHOWN).order_by(api_keys.c.created_at, api_keys.c.key_id))
        return tuple(_record(row) for row in rows.mappings())


def revoke_key(warehouse: Warehouse, key_id: str, *, now: datetime) -> KeyRecord:
    """Revoke a key; one revoked before keeps its first time. Workers refuse it within a second.

    Raises:
        NotFound: no key has that id.
    """
    mine = api_keys.c.key_id == key_id
    revoked = func.coalesce(api_keys.c.revoked_at, now)
    statement = api_keys.update().where(mine).values(revoked_at=revoked).returning(*_SHOWN)
    with warehouse.write("auth") as connection:
        row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(f"No key has the id {key_id!r}. `chandlery keys list` shows them; the id follows cdl_live_.")
    return _record(row)


def parse_key(text: str) -> PresentedKey | None:
    """Return the parts of a key, or None if its form or its checksum is wrong."""
    match = _FORM.fullmatch(text)
    if match is None or not hmac.compare_digest(_checksum(text[:-7]), match[3]):
        return None
    return PresentedKey(match[1], match[2])


def hash_secret(secret: str, salt: bytes) -> bytes:
    """Return SHA-256(salt + secret), 32 bytes."""
    return hashlib.sha256(salt + secret.encode("ascii")).digest()


_SHOWN = tuple(api_keys.c[name] for name in KeyRecord.__dataclass_fields__)


def _record(row: RowMapping) -> KeyRecord:
    return KeyRecord(**{**row, "scopes": tuple(row["scopes"])})


def _checked(name: str, scopes: Collection[str], expires_at: datetime | None, now: datetime) -> tuple[str, ...]:
    if not 1 <= len(name.strip()) <= _NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"The key's name was {name!r}; it needs 1 to {_NAME_LENGTH} printable characters.")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidInput(f"Scopes were {', '.join(unknown) or 'none'}; choose from {', '.join(SCOPES)}.")
    if expires_at is not None and (expires_at.utcoffset() is None or expires_at <= now):
        raise InvalidInput(f"The expiry was {expires_at.isoformat()}; it must have a zone and lie in the future.")
    return tuple(scope for scope in SCOPES if scope in set(scopes))


def _assemble(*, key_id: str, secret: str) -> str:
    body = f"cdl_live_{key_id}_{secret}"
    return f"{body}_{_checksum(body)}"


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")).to_bytes(4, "big"), 6)


def _base62(data: bytes, width: int) -> str:
    value = int.from_bytes(data, "big") % len(_ALPHABET) ** width
    digits = []
    for _ in range(width):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
