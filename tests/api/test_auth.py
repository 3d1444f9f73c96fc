"""Keys over HTTP and the commands behind them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from chandlery.api.app import create_app
from chandlery.errors import NotFound
from chandlery.store.keys import list_keys, revoke_key

NOW = datetime(2024, 1, 5, 22, 15, tzinfo=UTC)
PATHS = {
    "/v1/symbols": "read:candles",
    "/v1/symbols/AAPL": "read:candles",
    "/v1/candles?symbol=AAPL&timeframe=1h": "read:candles",
    "/v1/quality": "read:quality",
    "/v1/studies": "read:research",
    "/v1/studies/study-0": "read:research",
    "/v1/risk/reports": "read:risk",
    "/v1/risk/reports/report-0": "read:risk",
}
SCOPES = sorted(set(PATHS.values()))


def bearer(plain: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {plain}"}


@pytest.mark.parametrize("path", PATHS)
def test_no_key_is_401_key_missing(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_missing")
    assert answer.headers["www-authenticate"] == 'Bearer realm="chandlery"'


@pytest.mark.parametrize(("path", "scope"), PATHS.items())
def test_a_path_opens_to_its_own_scope_only(stranger: TestClient, make_key: Any, path: str, scope: str) -> None:
    holder, _ = make_key(scope)
    others, key_id = make_key(*(other for other in SCOPES if other != scope))
    assert stranger.get(path, headers=bearer(holder)).status_code == 200
    answer = stranger.get(path, headers=bearer(others))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert scope in answer.json()["detail"]
    assert key_id in answer.json()["detail"]


def test_key_is_judged_before_parameters(stranger: TestClient) -> None:
    assert stranger.get("/v1/candles?limit=x").status_code == 401


def test_api_key_header_works_too(stranger: TestClient, make_key: Any) -> None:
    plain, _ = make_key()
    assert stranger.get("/v1/symbols", headers={"X-API-Key": plain}).status_code == 200


def test_mistyped_unknown_and_foreign_keys_are_401_key_invalid(stranger: TestClient, make_key: Any) -> None:
    plain, key_id = make_key()
    other, other_id = make_key()
    mistyped = plain[:-1] + ("A" if plain[-1] != "A" else "B")
    mixed = plain.replace(key_id, other_id)
    for wrong in (mistyped, mixed, other[:20], "x" * 10_000):
        answer = stranger.get("/v1/symbols", headers=bearer(wrong))
        assert (answer.status_code, answer.json()["code"]) == (401, "key_invalid")
        assert answer.headers["www-authenticate"] == 'Bearer realm="chandlery", error="invalid_token"'
        assert wrong not in answer.text


def test_right_checksum_with_another_secret_is_refused(stranger: TestClient, make_key: Any, cluster: Any) -> None:
    plain, _ = make_key()
    cluster_key = list_keys(cluster.warehouse)[0]
    foreign = well_formed(cluster_key.key_id, "A" * 43)
    assert stranger.get("/v1/symbols", headers=bearer(foreign)).json()["code"] == "key_invalid"
    assert stranger.get("/v1/symbols", headers=bearer(well_formed("00000000", "A" * 43))).status_code == 401
    assert stranger.get("/v1/symbols", headers=bearer(plain)).status_code == 200


def well_formed(key_id: str, secret: str) -> str:
    import binascii

    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    body = f"cdl_live_{key_id}_{secret}"
    checksum, rest = "", binascii.crc32(body.encode())
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        checksum = alphabet[digit] + checksum
    return f"{body}_{checksum}"


def test_key_ends_at_its_expiry(cluster: Any, make_key: Any) -> None:
    plain, _ = make_key(expires_at=NOW + timedelta(hours=1))
    for later, status in ((timedelta(minutes=59), 200), (timedelta(hours=1), 401)):
        app = create_app(cluster.settings, now=lambda at=NOW + later: at)  # type: ignore[misc]
        with TestClient(app) as client:
            answer = client.get("/v1/symbols", headers=bearer(plain))
        assert answer.status_code == status
    assert answer.json()["code"] == "key_expired"


def test_revoked_key_is_refused_within_a_second(stranger: TestClient, make_key: Any, cluster: Any) -> None:
    plain, key_id = make_key()
    assert stranger.get("/v1/symbols", headers=bearer(plain)).status_code == 200
    first = revoke_key(cluster.warehouse, key_id, now=NOW)
    revoked = time.perf_counter()
    status = 200
    while status == 200 and time.perf_counter() - revoked < 1.5:
        time.sleep(0.05)
        answer = stranger.get("/v1/symbols", headers=bearer(plain))
        status = answer.status_code
    assert (status, answer.json()["code"]) == (401, "key_revoked")
    assert time.perf_counter() - revoked < 1.1
    assert first.revoked_at == NOW
    assert revoke_key(cluster.warehouse, key_id, now=NOW + timedelta(days=1)).revoked_at == NOW


def test_revoking_an_unknown_key_is_not_found(cluster: Any) -> None:
    with pytest.raises(NotFound, match="nobody"):
        revoke_key(cluster.warehouse, "nobody", now=NOW)


def test_last_use_is_noted_at_most_once_a_minute(cluster: Any, make_key: Any) -> None:
    plain, key_id = make_key(name="counted")
    clock = {"now": NOW}
    noted = []
    with TestClient(create_app(cluster.settings, now=lambda: clock["now"])) as client:
        for seconds in (0, 59, 60, 61):
            clock["now"] = NOW + timedelta(seconds=seconds)
            assert client.get("/v1/symbols", headers=bearer(plain)).status_code == 200
            noted.append(next(key.last_used_at for key in list_keys(cluster.warehouse) if key.key_id == key_id))
    assert noted == [NOW, NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=1)]


def test_listed_keys_show_everything_but_the_secret(cluster: Any, make_key: Any) -> None:
    plain, key_id = make_key("read:risk", "read:candles", name="  desk  ")
    key = next(key for key in list_keys(cluster.warehouse) if key.key_id == key_id)
    assert (key.name, key.scopes, key.created_at) == ("desk", ("read:candles", "read:risk"), NOW)
    assert key.preview == f"cdl_live_{key_id}_…{plain[-4:]}"
    assert plain.split("_")[3] not in str(list_keys(cluster.warehouse))


def test_the_store_keeps_a_salted_hash_and_not_the_secret(cluster: Any, make_key: Any) -> None:
    import hashlib

    from sqlalchemy import text

    plain, key_id = make_key()
    query = text("select secret_hash, salt from ops.api_keys where key_id = :id")
    with cluster.warehouse.read("auth") as connection:
        secret_hash, salt = connection.execute(query, {"id": key_id}).one()
    assert len(salt) == 16
    assert secret_hash == hashlib.sha256(salt + plain.split("_")[3].encode()).digest()
