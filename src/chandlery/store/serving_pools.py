"""Connections of the read API: one lazy asyncpg pool per role, reopened after an outage, errors translated.

asyncpg, not psycopg: psycopg awaits once a row, which made 50,000 candles cost 94 ms of CPU instead of 12
(measured when the serving path was designed).
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import asyncpg

from chandlery.errors import ChandleryError, DatabaseDown, NotMigrated, StoreError
from chandlery.store.warehouse import Warehouse

T = TypeVar("T")
ServingRole = Literal["reader", "auth"]
Question = Callable[[asyncpg.Connection], Awaitable[T]]

_CONNECT_S = 3.0
_CLOSE_S = 5.0
_HOLD_OFF_S = 0.25


class NotPublished(NotMigrated):
    """The serving relations, or the current version of a dataset, do not exist yet."""

    code = "not_published"


class DeadlineExceeded(StoreError):
    """A statement ran longer than the reader may."""

    code = "deadline"


class _ConnectionLost(DatabaseDown):
    """A connection died under a question; a fresh one may answer."""


class ServingPools:
    """Where the API's questions get their connections; opens nothing before the first question.

    `locate` finds the warehouse, anew after an outage; a pool holds at most `size` connections, and a question
    waits at most `wait_s` seconds for one.
    """

    def __init__(
        self, locate: Callable[[], Warehouse], *, size: int, statement_timeout_ms: int, wait_s: float = 5.0
    ) -> None:
        self._locate = locate
        self._size = size
        self._statement_timeout_ms = statement_timeout_ms
        self._wait_s = wait_s
        self._lock = asyncio.Lock()
        self._warehouse: Warehouse | None = None
        self._pools: dict[ServingRole, asyncpg.Pool] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._refusal: tuple[float, str] | None = None

    async def ask(self, question: Question[T], *, role: ServingRole = "reader") -> T:
        """Answer a question on one connection; a connection that died under it is replaced once.

        Raises:
            DatabaseDown: no connection, or it was lost twice.
            NotMigrated: a table or a role does not exist (NotPublished: a serving relation).
            DeadlineExceeded: the statement timeout cut the question off.
        """
        try:
            return await self._once(question, role)
        except _ConnectionLost:
            return await self._once(question, role)

    async def snapshot(self, question: Question[T]) -> T:
        """Answer a question of several statements as the reader, all of them seeing one snapshot."""

        async def within(connection: asyncpg.Connection) -> T:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await question(connection)

        return await self.ask(within)

    async def secret(self, label: str) -> bytes:
        """Return HMAC-SHA-256(password of role auth, label): the same 32 bytes in every worker."""
        async with self._lock:
            _, password = (await self._place()).database.login("auth")
        return hmac.digest(password.encode(), label.encode(), hashlib.sha256)

    async def close(self) -> None:
        """Close every pool; questions under way get a moment to end."""
        self._forget()
        await asyncio.gather(*self._closing)

    async def _once(self, question: Question[T], role: ServingRole) -> T:
        pool = await self._pool(role)
        connection = await self._acquire(pool)
        try:
            return await question(connection)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            ours = _translated(error)
            if ours is None:
                raise
            raise ours from error
        finally:
            await pool.release(connection)

    async def _acquire(self, pool: asyncpg.Pool) -> asyncpg.Connection:
        try:
            return await pool.acquire(timeout=self._wait_s)
        except TimeoutError as error:
            raise DatabaseDown(
                f"No connection to PostgreSQL became free within {self._wait_s:g} s: it is overloaded or out of reach."
            ) from error
        except asyncpg.TooManyConnectionsError as error:
            raise DatabaseDown("PostgreSQL has no connection left. Try again, or raise max_connections.") from error
        except asyncpg.InterfaceError as error:
            # Another request found the database gone and replaced the pool meanwhile.
            raise _ConnectionLost(f"The connection pool was closed: {error}.") from error
        except (asyncpg.PostgresError, OSError) as error:
            if pool in self._pools.values():
                self._forget()
            raise _refused(error) from error

    async def _pool(self, role: ServingRole) -> asyncpg.Pool:
        async with self._lock:
            if role not in self._pools:
                self._pools[role] = await self._open(role)
            return self._pools[role]

    async def _open(self, role: ServingRole) -> asyncpg.Pool:
        database = (await self._place()).database
        user, password = database.login(role)
        pool = asyncpg.create_pool(
            host=database.host,
            port=database.port,
            database=database.name,
            user=user,
            password=password,
            min_size=0,
            max_size=self._size,
            timeout=_CONNECT_S,
            command_timeout=self._statement_timeout_ms / 1000 + 2,
            server_settings={
                "application_name": f"chandlery-api-{role}",
                "statement_timeout": str(self._statement_timeout_ms),
                "jit": "off",
            },
            # No question changes its session, so the reset round trip of each release is saved.
            reset=_keep,
        )
        return await pool

    async def _place(self) -> Warehouse:
        if self._refusal is not None and time.perf_counter() - self._refusal[0] < _HOLD_OFF_S:
            raise DatabaseDown(self._refusal[1])
        if self._warehouse is None:
            try:
                self._warehouse = await asyncio.to_thread(self._locate)
            except ChandleryError as error:
                self._refusal = time.perf_counter(), str(error)
                raise
        self._refusal = None
        return self._warehouse

    def _forget(self) -> None:
        # The embedded server may come back on another port, so the place is looked up anew.
        self._warehouse = None
        for pool in self._pools.values():
            task = asyncio.create_task(_close(pool))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._pools.clear()


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await pool.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        pool.terminate()


async def _keep(connection: asyncpg.Connection) -> None:
    """Leave a released connection as it is."""


def _refused(error: Exception) -> StoreError:
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
        return NotMigrated(f"PostgreSQL refused the API's login: {error}. Run `chandlery migrate`.")
    return DatabaseDown(f"PostgreSQL did not answer: {error}. Check that it runs (`chandlery doctor`).")


def _translated(error: Exception) -> StoreError | None:
    """Return our error for a driver's; None for one that is a fault of ours and must surface."""
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError):
        return DeadlineExceeded("The query was cut off by the statement timeout. Ask for a shorter range.")
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError):
        return _missing(str(error))
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return NotMigrated(f"The API's role may not read this: {error}. Run `chandlery migrate`.")
    if isinstance(error, ValueError):
        return None
    if isinstance(
        error,
        asyncpg.PostgresConnectionError
        | asyncpg.exceptions.OperatorInterventionError
        | asyncpg.InterfaceError
        | OSError,
    ):
        return _ConnectionLost(f"The connection to PostgreSQL was lost: {error}.")
    return None


def _missing(message: str) -> NotMigrated:
    if "serving" in message:
        return NotPublished("Nothing has been published yet: the serving relations are absent. Run `chandlery demo`.")
    return NotMigrated(f"The warehouse lacks a table of ours: {message}. Run `chandlery migrate`.")
