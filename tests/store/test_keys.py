"""The form of a key, without a database."""

import binascii
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.errors import InvalidInput
from chandlery.settings import DatabaseSettings
from chandlery.store.keys import SCOPES, create_key, hash_secret, parse_key
from chandlery.store.warehouse import Warehouse

NOW = datetime(2024, 1, 5, tzinfo=UTC)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NOWHERE = Warehouse(DatabaseSettings(port=1))


def base62(number: int, width: int) -> str:
    return "" if width == 0 else base62(number // 62, width - 1) + ALPHABET[number % 62]


def key(key_id: str, secret: str) -> str:
    body = f"cdl_live_{key_id}_{secret}"
    return f"{body}_{base62(binascii.crc32(body.encode()), 6)}"


@given(st.text(ALPHABET, min_size=8, max_size=8), st.text(ALPHABET, min_size=43, max_size=43))
def test_well_formed_key_is_parsed(key_id: str, secret: str) -> None:
    parsed = parse_key(key(key_id, secret))
    assert parsed is not None
    assert (parsed.key_id, parsed.secret) == (key_id, secret)


@given(st.integers(0, 67), st.characters())
def test_one_changed_character_is_noticed(place: int, sign: str) -> None:
    text = key("AbCd1234", "s" * 43)
    changed = text[:place] + sign + text[place + 1 :]
    assert (parse_key(changed) is None) == (changed != text)


@given(st.text())
def test_any_other_text_is_no_key(text: str) -> None:
    assert parse_key(text) is None


def test_256_bits_fit_43_digits() -> None:
    assert 62**42 < 2**256 <= 62**43


def test_secret_is_hashed_after_its_salt() -> None:
    assert hash_secret("abc", b"\x01\x02") == hashlib.sha256(b"\x01\x02abc").digest()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"scopes": ()}, "none"),
        ({"scopes": ("read:candles", "write:all")}, "write:all"),
        ({"expires_at": NOW}, "future"),
        ({"expires_at": datetime.fromisoformat("2030-01-01")}, "zone"),
        ({"entropy": lambda count: b"\xff" * count, "expires_at": NOW - timedelta(days=1)}, "future"),
    ],
)
def test_key_that_cannot_work_is_refused_before_the_database_is_asked(changes: dict[str, Any], words: str) -> None:
    facts: dict[str, Any] = {"name": "desk", "scopes": SCOPES, "expires_at": None, "entropy": bytes, **changes}
    with pytest.raises(InvalidInput, match=words):
        create_key(NOWHERE, now=NOW, **facts)
