"""Database, roles, schemas and grants: what must stand before the first migration. Idempotent."""

import psycopg
from psycopg import sql
from sqlalchemy import text

from chandlery.errors import ConfigError, DatabaseDown
from chandlery.settings import Role
from chandlery.store.warehouse import Warehouse, Writer

_OWNED = ("raw", "ops", "research")
_PIPELINE = ("staging", "intermediate", "marts", "serving", "optuna", "dagster")
_HAS_MAINTAIN = 170_000
"""PostgreSQL 17 lets another role than the owner refresh statistics; before it, autovacuum does so within a minute."""
_LOGINS: tuple[Role, ...] = ("pipeline", "reader", "auth")


def ensure_database(warehouse: Warehouse) -> None:
    """Create the database if it is absent.

    Raises:
        DatabaseDown: the server does not answer or refuses the owner's login.
        ConfigError: the owner may not create it.
    """
    place = warehouse.database
    user, password = place.login("owner")
    login = {"host": place.host, "port": place.port, "user": user, "password": password}
    try:
        with psycopg.connect(dbname="postgres", autocommit=True, **login) as connection:  # type: ignore[arg-type]
            known = connection.execute("select 1 from pg_database where datname = %s", (place.name,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(place.name)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigError(
            f"Role {user} may not create database {place.name}. Create it yourself, or grant CREATEDB."
        ) from error
    except psycopg.OperationalError as error:
        raise DatabaseDown(
            f"PostgreSQL was asked at {place.host}:{place.port} as {user}: {str(error).strip().splitlines()[0]}. "
            "Check that it runs and that CHANDLERY_DATABASE__* name it."
        ) from error


def ensure_roles(connection: Writer, warehouse: Warehouse) -> None:
    """Create the login roles and set their passwords; each may connect and nothing more."""
    for role in _LOGINS:
        name, password = warehouse.database.login(role)
        quoted = password.replace("'", "''")
        known = connection.execute(text("select 1 from pg_roles where rolname = :name"), {"name": name}).scalar()
        verb = "alter" if known else "create"
        connection.exec_driver_sql(f"{verb} role {name} login password '{quoted}'".replace("%", "%%"))
    for setting in (
        "default_transaction_read_only = on",
        "statement_timeout = '5s'",
        "idle_in_transaction_session_timeout = '10s'",
    ):
        connection.exec_driver_sql(f"alter role chandlery_reader set {setting}")


def ensure_schemas(connection: Writer) -> None:
    """Create every schema under its one owner."""
    # PostgreSQL lets only a member of a role give it a schema; a superuser passes either way.
    connection.exec_driver_sql("grant chandlery_pipeline to current_user")
    for schema in _OWNED:
        connection.exec_driver_sql(f"create schema if not exists {schema}")
    for schema in _PIPELINE:
        connection.exec_driver_sql(f"create schema if not exists {schema} authorization chandlery_pipeline")


def ensure_grants(connection: Writer) -> None:
    """Grant what each role needs, on what exists and on what will exist."""
    database: str = connection.execute(text("select current_database()")).scalar_one()
    connection.exec_driver_sql(f'grant create, temporary on database "{database}" to chandlery_pipeline')
    for schema in _OWNED:
        connection.exec_driver_sql(f"grant usage on schema {schema} to chandlery_pipeline")
        connection.exec_driver_sql(
            f"grant select, insert, update, delete on all tables in schema {schema} to chandlery_pipeline"
        )
        connection.exec_driver_sql(f"grant usage on all sequences in schema {schema} to chandlery_pipeline")
    if int(connection.execute(text("show server_version_num")).scalar_one()) >= _HAS_MAINTAIN:
        connection.exec_driver_sql("grant maintain on all tables in schema raw, ops to chandlery_pipeline")
    connection.exec_driver_sql("revoke all on ops.api_keys from chandlery_pipeline")
    connection.exec_driver_sql("grant usage on schema serving, ops to chandlery_reader")
    connection.exec_driver_sql("grant select on all tables in schema serving to chandlery_reader")
    connection.exec_driver_sql(
        "alter default privileges for role chandlery_pipeline in schema serving "
        "grant select on tables to chandlery_reader"
    )
    connection.exec_driver_sql("grant select on ops.publication, ops.alembic_version to chandlery_reader")
    connection.exec_driver_sql("grant usage on schema ops to chandlery_auth")
    connection.exec_driver_sql("grant select, insert, update on ops.api_keys to chandlery_auth")
