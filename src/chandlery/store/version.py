"""The schema version this code needs; what only reads compares it instead of migrating."""

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chandlery.errors import NotMigrated
from chandlery.store.warehouse import Reader

SCHEMA_REVISION = "0004"


def check_migrated(connection: Reader) -> None:
    """Do nothing if the warehouse stands at `SCHEMA_REVISION`.

    Raises:
        NotMigrated: it does not, or was never migrated.
    """
    try:
        found = connection.execute(text("select version_num from ops.alembic_version")).scalar()
    except ProgrammingError:
        found = None
    if found != SCHEMA_REVISION:
        raise NotMigrated(
            f"The warehouse stands at schema version {found or 'none'}, this code needs {SCHEMA_REVISION}. "
            "Run `chandlery migrate`."
        )
