"""Connections to the warehouse, one engine per role.

Write and read connections are different types, so a reader cannot be handed to a writer by mistake. Roles:
`owner` migrates, `pipeline` writes raw, ops and research and owns what dbt builds, `reader` selects serving
only, `auth` keeps API keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NewType
from urllib.parse import quote, urlencode

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from chandlery.errors import Conflict, DatabaseDown, NotMigrated
from chandlery.settings import DatabaseSettings, Role, Settings
from chandlery.store.embedded import EmbeddedPostgres

Reader = NewType("Reader", Connection)
Writer = NewType("Writer", Connection)

RETRY_STATES = {"40001", "40P01", "55P03"}
"""States after which the same transaction can succeed."""

_UNDEFINED_STATES = {"42P01", "3F000", "42703"}
"""Undefined table, schema, column: an older schema than this code reads."""
_REFUSED_LOGIN = ("password authentication failed", "does not exist")


class Warehouse:
    """The place of the warehouse and its logins; opens connections, holds none but inside `kept`."""

    def __init__(self, database: DatabaseSettings, *, keeps_connections: bool = False) -> None:
        self.database = database
        self._keeps_connections = keeps_connections
        self._engines: dict[Role, Engine] = {}

    @contextmanager
    def kept(self) -> Iterator["Warehouse"]:
        """Yield this warehouse with connections that serve one transaction after the other, until the block ends.

        A new connection costs 5 ms here and as much there, where it knows no table yet: an ingest of 63 windows
        opened 190. One that was lost meanwhile is replaced.
        """
        kept = Warehouse(self.database, keeps_connections=True)
        try:
            yield kept
        finally:
            kept.close()

    def close(self) -> None:
        """Close the connections that are kept and serve no transaction."""
        for engine in self._engines.values():
            engine.dispose()

    def url(self, role: Role, *, driver: str = "", schema: str | None = None) -> str:
        """Return the URL for a client: driver `""` for libpq, else `psycopg` or `psycopg2`.

        Each client gets its own driver name: SQLAlchemy 2.1 maps the bare scheme to psycopg 3, on which
        dagster-postgres fails. `schema` becomes the search path, because Dagster, Optuna and Alembic all use
        an unqualified `alembic_version`.
        """
        user, password = self.database.login(role)
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        place = f"{login}@{self.database.host}:{self.database.port}/{self.database.name}"
        options = f"?{urlencode({'options': f'-csearch_path={schema}'}, quote_via=quote)}" if schema else ""
        return f"{scheme}://{place}{options}"

    @contextmanager
    def write(self, role: Role = "pipeline") -> Iterator[Writer]:
        """Open one transaction that commits on success and rolls back on any error.

        Raises:
            DatabaseDown: no connection, or it was lost.
            Conflict: another transaction was in the way; a retry can succeed.
        """
        with _translated(self.database, role), self._engine(role).begin() as connection:
            yield Writer(connection)

    @contextmanager
    def read(self, role: Role = "pipeline") -> Iterator[Reader]:
        """Open one read-only snapshot.

        Raises:
            DatabaseDown: no connection, or it was lost.
        """
        with _translated(self.database, role), self._engine(role).connect() as connection:
            yield Reader(connection.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ"))

    def _engine(self, role: Role) -> Engine:
        if role not in self._engines:
            url = self.url(role, driver="psycopg")
            keeps = self._keeps_connections
            engine = _keeping_engine(url) if keeps else create_engine(url, poolclass=NullPool)
            # Of two threads that come first at once, both take the same.
            self._engines.setdefault(role, engine)
        return self._engines[role]


def _keeping_engine(url: str) -> Engine:
    # A statement prepared while its table was empty would keep its plan while an ingest fills the table.
    return create_engine(url, pool_pre_ping=True, connect_args={"prepare_threshold": None})


@contextmanager
def _translated(database: DatabaseSettings, role: Role) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in RETRY_STATES:
            raise Conflict(f"Another transaction was in the way ({state}). Try again.") from error
        if isinstance(error, ProgrammingError) and state in _UNDEFINED_STATES:
            raise NotMigrated(
                f"{str(error.orig).strip().splitlines()[0]} in {database.name}. Run `chandlery migrate`; tables of "
                "candles, quality and reports appear with the first run of the pipeline (`chandlery demo`)."
            ) from error
        reason = str(error.orig).strip().splitlines()[0]
        if role != "owner" and state is None and any(text in reason for text in _REFUSED_LOGIN):
            raise NotMigrated(
                f"PostgreSQL at {database.host}:{database.port} refused the login: {reason}. If the warehouse is new, "
                "run `chandlery migrate`; else correct CHANDLERY_DATABASE__*."
            ) from error
        if error.connection_invalidated or (isinstance(error, OperationalError) and state is None):
            raise DatabaseDown(
                f"PostgreSQL was asked at {database.host}:{database.port}/{database.name} and did not answer: "
                f"{reason}. Check that it runs (`chandlery doctor`)."
            ) from error
        raise


def open_warehouse(settings: Settings, *, start: bool = True) -> Warehouse:
    """Return the warehouse of these settings; with profile embedded, find or start its server.

    Raises:
        ConfigError: the embedded server cannot be set up here.
        DatabaseDown: it did not start, or `start` is false and it does not run.
    """
    if settings.profile != "embedded":
        return Warehouse(settings.database)
    embedded = EmbeddedPostgres(settings.home_dir)
    server = embedded.ensure() if start else embedded.running()
    if server is None:
        raise DatabaseDown(f"The embedded database of {settings.home_dir} is not running. Start it: `chandlery up`.")
    place = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
    return Warehouse(DatabaseSettings.model_validate({**place, "name": "chandlery"}))
