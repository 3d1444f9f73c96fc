"""Who asks: the key of a request, checked against the store at most once a second."""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chandlery.api.refusals import KeyExpired, KeyInvalid, KeyMissing, KeyRevoked, ScopeMissing
from chandlery.store.keys import KeyRecord, hash_secret, parse_key
from chandlery.store.serving_keys import StoredKey, find_key, touch_key
from chandlery.store.serving_pools import ServingPools

_FRESH_S = 0.8
_REMEMBERED = 4096
_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Seen:
    key: StoredKey
    read_at: float


class Authenticator:
    """Checks keys; holds those seen in the last 0.8 s, so a revocation acts within a second."""

    def __init__(self, pools: ServingPools, now: Callable[[], datetime]) -> None:
        self._pools = pools
        self._now = now
        self._seen: dict[str, _Seen] = {}
        self._touched: dict[str, datetime] = {}

    async def authenticate(self, plain: str | None) -> KeyRecord:
        """Return the record of a key's text.

        Raises:
            KeyMissing: no text.
            KeyInvalid: wrong form, checksum, id or secret; which of them is not told.
            KeyRevoked: the key was right and was revoked.
            KeyExpired: the key was right and its time is over.
            DatabaseDown: the key could not be looked up.
        """
        if not plain:
            raise KeyMissing("The request carries no key. Send it as `Authorization: Bearer cdl_live_...`.")
        presented = parse_key(plain)
        if presented is None:
            raise KeyInvalid("The key was read and its form or checksum is wrong. Copy it whole: cdl_live_..._..._...")
        key = await self._find(presented.key_id)
        if key is None or not hmac.compare_digest(hash_secret(presented.secret, key.salt), key.secret_hash):
            raise KeyInvalid("The key was looked up and is not known here. Is it a key of another installation?")
        now = self._now()
        record = key.record
        if record.revoked_at is not None:
            raise KeyRevoked(f"Key {record.key_id} was revoked at {record.revoked_at.isoformat()}. Create a new one.")
        if record.expires_at is not None and record.expires_at <= now:
            raise KeyExpired(f"Key {record.key_id} expired at {record.expires_at.isoformat()}. Create a new one.")
        await self._touch(record, now)
        return record

    async def _find(self, key_id: str) -> StoredKey | None:
        seen = self._seen.get(key_id)
        if seen is not None and time.perf_counter() - seen.read_at < _FRESH_S:
            return seen.key
        read_at = time.perf_counter()
        key = await find_key(self._pools, key_id)
        if key is not None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
                self._touched.clear()
            self._seen[key_id] = _Seen(key, read_at)
        return key

    async def _touch(self, record: KeyRecord, now: datetime) -> None:
        last = self._touched.get(record.key_id, record.last_used_at)
        if last is None or now - last >= _TOUCH_EVERY:
            self._touched[record.key_id] = now
            await touch_key(self._pools, record.key_id, now=now)


def check_scope(record: KeyRecord, scope: str) -> None:
    """Do nothing if the key has the scope.

    Raises:
        ScopeMissing: it has not.
    """
    if scope not in record.scopes:
        held = ", ".join(record.scopes)
        raise ScopeMissing(f"This path needs scope {scope}; key {record.key_id} has {held}. Create a key that has it.")
