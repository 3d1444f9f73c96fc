"""The database away, unmigrated, unpublished, slow; and what the reader may not do."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from chandlery import clock
from chandlery.api.app import create_app
from chandlery.settings import Settings
from chandlery.store.keys import SCOPES, create_key
from chandlery.store.migrate import migrate
from chandlery.store.warehouse import open_warehouse

CANDLES = "/v1/candles?symbol=AAPL&timeframe=1h"


def server_settings(cluster: Any, database: str, **api: int) -> Settings:
    place = cluster.warehouse.database
    user, password = place.login("owner")
    facts = {"host": place.host, "port": place.port, "name": database, "user": user, "password": password}
    return Settings(_env_file=None, profile="server", database=facts, api=api, massive={"api_key": "k"})


@pytest.fixture(scope="module")
def bare(cluster: Any) -> Iterator[TestClient]:
    """Return a client of a database that was migrated and never published to."""
    settings = server_settings(cluster, "bare")
    warehouse = open_warehouse(settings)
    migrate(warehouse)
    plain, _ = create_key(
        warehouse,
        name="bare",
        scopes=SCOPES,
        expires_at=None,
        now=clock.now(),
        entropy=secrets.token_bytes,
    )
    with TestClient(create_app(settings), headers={"X-API-Key": plain}) as client:
        yield client


@pytest.mark.parametrize(
    "path", [CANDLES, "/v1/symbols", "/v1/symbols/AAPL", "/v1/quality", "/v1/studies", "/v1/risk/reports/x"]
)
def test_unpublished_warehouse_is_503_and_says_what_to_run(bare: TestClient, path: str) -> None:
    answer = bare.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_published")
    assert "chandlery demo" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


def test_unpublished_warehouse_is_not_ready(bare: TestClient) -> None:
    answer = bare.get("/readyz")
    assert (answer.status_code, [reason["code"] for reason in answer.json()["reasons"]]) == (503, ["not_published"])


def test_warehouse_at_another_schema_version_is_not_ready(bare: TestClient, cluster: Any) -> None:
    with open_warehouse(server_settings(cluster, "bare")).write("owner") as connection:
        connection.exec_driver_sql("update ops.alembic_version set version_num = '9999'")
    answer = bare.get("/readyz")
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["not_migrated", "not_published"]
    assert "9999" in answer.json()["detail"]


@pytest.mark.parametrize(("database", "words"), [("postgres", "chandlery migrate"), ("absent", "chandlery migrate")])
def test_unmigrated_or_absent_database_is_not_ready(cluster: Any, database: str, words: str) -> None:
    with TestClient(create_app(server_settings(cluster, database))) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (503, "not_migrated")
    assert words in answer.json()["detail"]


def test_app_starts_without_any_database(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(_env_file=None, home=tmp_path / "home"))) as client:
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"][0]["code"]) == (503, "database_down")
        metrics = client.get("/metrics")
        assert (metrics.status_code, "chandlery_database_up 0.0" in metrics.text) == (200, True)
    assert not (tmp_path / "home").exists()


def test_slow_statement_is_504(cluster: Any, make_key: Any) -> None:
    plain, _ = make_key()
    settings = cluster.settings.model_copy(
        update={"api": cluster.settings.api.model_copy(update={"statement_timeout_ms": 100})}
    )
    with TestClient(create_app(settings), headers={"X-API-Key": plain}) as client:
        assert client.get(CANDLES).status_code == 200
        with cluster.warehouse.write("pipeline") as connection:
            connection.exec_driver_sql("lock table serving.candles_v1 in access exclusive mode")
            answer = client.get(CANDLES)
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline")
        assert client.get(CANDLES).status_code == 200


def test_killed_connections_are_replaced_unseen(client: TestClient, cluster: Any) -> None:
    assert client.get(CANDLES).status_code == 200
    with cluster.warehouse.write("owner") as connection:
        killed = connection.exec_driver_sql(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where application_name like 'chandlery-api-%%'"
        ).scalar_one()
    assert killed > 0
    assert client.get(CANDLES).status_code == 200


def test_stopped_database_is_503_until_it_is_back(client: TestClient, cluster: Any) -> None:
    assert client.get(CANDLES).status_code == 200
    cluster.postgres.stop()
    try:
        for path in (CANDLES, "/v1/symbols", "/v1/studies"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "database_down")
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
    finally:
        cluster.postgres.ensure()
    began, status = time.perf_counter(), 503
    while status != 200 and time.perf_counter() - began < 5:
        time.sleep(0.05)
        status = client.get(CANDLES).status_code
    assert status == 200
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("role", ["reader", "auth"])
def test_the_apis_roles_cannot_write_what_they_serve(cluster: Any, role: str) -> None:
    place = cluster.warehouse.database
    user, password = place.login(role)
    login = {"host": place.host, "port": place.port, "dbname": place.name, "user": user, "password": password}
    with psycopg.connect(autocommit=True, **login) as connection:
        connection.execute("set default_transaction_read_only = off")
        for statement in (
            "delete from serving.candles_v1",
            "update ops.publication set version = 9",
            "create table serving.mine (x int)",
            "drop table serving.symbols_v1",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_reader_cannot_see_keys_nor_raw_data(cluster: Any) -> None:
    place = cluster.warehouse.database
    user, password = place.login("reader")
    login = {"host": place.host, "port": place.port, "dbname": place.name, "user": user, "password": password}
    with psycopg.connect(autocommit=True, **login) as connection:
        for relation in ("ops.api_keys", "raw.massive__bars_1d", "research.studies"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {relation}")
