"""What each role may do, and the passwords it does it with."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import psycopg
import psycopg.conninfo
import pytest
from psycopg import errors

from chandlery.settings import DatabaseSettings, Role
from chandlery.store.frames import read_frame
from chandlery.store.migrate import migrate
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

ROLES: tuple[Role, ...] = ("pipeline", "reader", "auth")
AWKWARD = "a/b:c@d%e'f\"g h\\i?j#k&l=m+ü"
"""Every character with a meaning in a URL, in SQL or in a format string."""


@pytest.fixture(scope="module")
def served(warehouse: Warehouse, tell: Tell) -> Warehouse:
    """The module's database with one relation in serving, made as dbt makes it: after the grants."""
    tell(warehouse, "create table serving.candles_v1 as select 1 as i", role="pipeline")
    return warehouse


@pytest.mark.parametrize("role", ROLES)
def test_role_is_nobody_special(warehouse: Warehouse, ask: Ask, role: Role) -> None:
    query = "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles where rolname = %s"
    assert ask(warehouse, query, f"chandlery_{role}") == [(False,) * 5]


@pytest.mark.parametrize(
    "query", ["select i from serving.candles_v1", "select * from ops.publication", "select * from ops.alembic_version"]
)
def test_reader_reads_what_is_served(served: Warehouse, ask: Ask, query: str) -> None:
    ask(served, query, role="reader")


@pytest.mark.parametrize(
    "table",
    ["raw.massive__bars_1m", "ops.instruments", "ops.findings", "ops.api_keys", "research.studies", "pg_authid"],
)
def test_reader_reads_nothing_else(served: Warehouse, ask: Ask, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        ask(served, f"select * from {table}", role="reader")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into serving.candles_v1 values (2)",
        "delete from ops.publication",
        "drop table serving.candles_v1",
        "create table serving.mine (i int)",
        "create schema mine",
        "create temporary table mine (i int)",
    ],
)
def test_reader_cannot_write_even_in_a_writing_transaction(served: Warehouse, tell: Tell, statement: str) -> None:
    with pytest.raises(errors.ReadOnlySqlTransaction):
        tell(served, statement, role="reader")
    if "temporary" not in statement:
        with pytest.raises(errors.InsufficientPrivilege):
            tell(served, "set transaction read write", statement, role="reader")


def test_query_of_the_reader_is_cut_off_in_the_end(served: Warehouse, ask: Ask) -> None:
    assert ask(served, "show statement_timeout", role="reader") == [("5s",)]
    assert ask(served, "show idle_in_transaction_session_timeout", role="reader") == [("10s",)]


@pytest.mark.parametrize("table", ["ops.publication", "ops.instruments", "serving.candles_v1", "raw.massive__bars_1d"])
def test_auth_sees_no_table_but_the_keys(served: Warehouse, ask: Ask, table: str) -> None:
    assert ask(served, "select count(*) from ops.api_keys", role="auth") == [(0,)]
    with pytest.raises(errors.InsufficientPrivilege):
        ask(served, f"select * from {table}", role="auth")


def test_auth_never_deletes_a_key(served: Warehouse, tell: Tell) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        tell(served, "delete from ops.api_keys", role="auth")


@pytest.mark.parametrize(
    "statement",
    ["select * from ops.api_keys", "insert into ops.api_keys (key_id) values ('x')", "drop table ops.api_keys"],
)
def test_pipeline_has_no_access_to_the_keys(served: Warehouse, tell: Tell, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        tell(served, statement, role="pipeline")


@pytest.mark.parametrize("schema", ["staging", "intermediate", "marts", "serving", "optuna", "dagster"])
def test_pipeline_owns_what_dbt_dagster_and_optuna_build(served: Warehouse, tell: Tell, schema: str) -> None:
    tell(served, f"create table {schema}.built (i int)", f"drop table {schema}.built", role="pipeline")


@pytest.mark.parametrize("schema", ["raw", "ops", "research"])
def test_pipeline_cannot_change_migrated_tables(served: Warehouse, tell: Tell, schema: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        tell(served, f"create table {schema}.mine (i int)", role="pipeline")


@pytest.mark.parametrize("role", ROLES)
def test_password_is_derived_from_the_owners_without_one_of_its_own(
    postgres: Any, warehouse: Warehouse, role: Role
) -> None:
    expected = hmac.new(postgres.server.password.encode(), role.encode(), hashlib.sha256).hexdigest()
    assert warehouse.database.login(role) == (f"chandlery_{role}", expected)
    with psycopg.connect(
        host=postgres.server.host,
        port=postgres.server.port,
        dbname=warehouse.database.name,
        user=f"chandlery_{role}",
        password=expected,
    ) as connection:
        assert connection.execute("select current_user").fetchall() == [(f"chandlery_{role}",)]


def test_explicit_passwords_open_every_door_whatever_their_characters(postgres: Any) -> None:
    explicit = {f"{role}_password": f"{AWKWARD}{role}" for role in ROLES}
    place = postgres.create("explicit").database
    try:
        chosen = postgres.warehouse(place.name, **explicit)
        migrate(chosen)
        logins = {role: chosen.database.login(role) for role in ROLES}
        assert logins == {role: (f"chandlery_{role}", f"{AWKWARD}{role}") for role in ROLES}
        for role in ROLES:
            with chosen.read(role) as connection:
                assert connection.exec_driver_sql("select current_user").scalar() == f"chandlery_{role}"
    finally:
        # Roles belong to the whole cluster: give the other tests their passwords back.
        migrate(postgres.warehouse(place.name))
        postgres.drop(chosen)


def test_url_carries_an_awkward_password_to_every_client(postgres: Any) -> None:
    chosen = postgres.warehouse("any", password=AWKWARD)
    assert psycopg.conninfo.conninfo_to_dict(chosen.url("owner"))["password"] == AWKWARD


def test_frames_read_with_an_awkward_password(postgres: Any, tell: Tell) -> None:
    tell(
        postgres.warehouse("postgres"), f"create role awkward login password '{AWKWARD.replace(chr(39), chr(39) * 2)}'"
    )
    place = {"user": "awkward", "password": AWKWARD}
    assert read_frame(postgres.warehouse("postgres", **place), "select 1 as i", role="owner").item() == 1


def test_owner_logs_in_as_configured() -> None:
    assert DatabaseSettings.model_validate({"user": "boss", "password": "p"}).login("owner") == ("boss", "p")
