"""Bring the warehouse to this code's schema version; idempotent, and safe when two processes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chandlery.errors import ConfigError
from chandlery.log import get_logger
from chandlery.store.roles import ensure_database, ensure_grants, ensure_roles, ensure_schemas
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

_LOCK_KEY = 7_304_526_118


def alembic_config() -> Config:
    """Return Alembic's configuration; the connection is handed over in `attributes`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(warehouse: Warehouse) -> str:
    """Create database, roles and schemas, run every missing migration, grant; return the head revision.

    One advisory lock covers it all, so of several processes one works and the others find it done.

    Raises:
        DatabaseDown: the server does not answer.
        ConfigError: the owner role lacks a privilege; the message names it.
    """
    ensure_database(warehouse)
    try:
        head = _migrate(warehouse)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != "42501":
            raise
        # Not chained: the statement that was refused holds a password.
        raise ConfigError(
            f"Role {warehouse.database.user} may not prepare the warehouse: {str(error.orig).splitlines()[0]}. It "
            "needs CREATEROLE, and CREATE on the database; grant them, or name a role that has them in "
            "CHANDLERY_DATABASE__USER."
        ) from None
    log.info("warehouse_migrated", revision=head)
    return head


def _migrate(warehouse: Warehouse) -> str:
    with warehouse.write("owner") as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        ensure_roles(connection, warehouse)
        ensure_schemas(connection)
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        ensure_grants(connection)
        head: str = connection.execute(text("select version_num from ops.alembic_version")).scalar_one()
    return head
