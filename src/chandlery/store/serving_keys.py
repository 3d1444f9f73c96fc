"""Questions of the read API about keys, asked as role `auth`."""

from dataclasses import dataclass
from datetime import datetime

from chandlery.store.keys import KeyRecord
from chandlery.store.serving_pools import ServingPools


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key's record with what its secret is compared to."""

    record: KeyRecord
    secret_hash: bytes
    salt: bytes


_FIND = """
    select key_id, preview, name, scopes, created_at, expires_at, revoked_at, last_used_at, secret_hash, salt
    from ops.api_keys
    where key_id = $1
"""

_TOUCH = """
    update ops.api_keys
    set last_used_at = $2
    where key_id = $1 and (last_used_at is null or last_used_at <= $2::timestamptz - interval '1 minute')
"""


async def find_key(pools: ServingPools, key_id: str) -> StoredKey | None:
    """Return the stored key of that id, None if there is none."""
    row = await pools.ask(lambda connection: connection.fetchrow(_FIND, key_id), role="auth")
    if row is None:
        return None
    facts = dict(row)
    secret_hash, salt = facts.pop("secret_hash"), facts.pop("salt")
    return StoredKey(KeyRecord(**{**facts, "scopes": tuple(facts["scopes"])}), secret_hash, salt)


async def touch_key(pools: ServingPools, key_id: str, *, now: datetime) -> None:
    """Note that a key was used, unless that was noted less than a minute ago."""
    await pools.ask(lambda connection: connection.execute(_TOUCH, key_id, now), role="auth")
