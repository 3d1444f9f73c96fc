"""The pools against a real server: lost connections, exhaustion, translation."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from chandlery.errors import DatabaseDown, NotMigrated
from chandlery.settings import DatabaseSettings
from chandlery.store.serving_pools import DeadlineExceeded, NotPublished, ServingPools
from chandlery.store.warehouse import Warehouse

SUICIDE = "select pg_terminate_backend(pg_backend_pid())"


def answered(warehouse: Warehouse, work: Callable[[ServingPools], Awaitable[Any]], **options: Any) -> Any:
    """Run `work` on pools of its own."""

    async def run() -> Any:
        pools = ServingPools(lambda: warehouse, **{"size": 1, "statement_timeout_ms": 2000, **options})
        try:
            return await work(pools)
        finally:
            await pools.close()

    return asyncio.run(run())


def test_connection_lost_under_a_question_is_replaced_once(cluster: Any) -> None:
    statements = iter([SUICIDE, "select 7"])
    assert answered(cluster.warehouse, lambda pools: pools.ask(lambda c: c.fetchval(next(statements)))) == 7


def test_connection_lost_twice_is_database_down(cluster: Any) -> None:
    with pytest.raises(DatabaseDown, match="lost"):
        answered(cluster.warehouse, lambda pools: pools.snapshot(lambda c: c.fetchval(SUICIDE)))


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("select pg_sleep(5)", DeadlineExceeded, "shorter range"),
        ("select * from serving.absent", NotPublished, "chandlery demo"),
        ("select * from ops.absent", NotMigrated, "ops.absent"),
        ("select * from nowhere.absent", NotMigrated, "nowhere"),
        ("select * from raw.massive__splits", NotMigrated, "may not read"),
        ("select 1 / 0", asyncpg.DivisionByZeroError, "zero"),
    ],
)
def test_driver_errors_become_ours_and_faults_of_ours_surface(
    cluster: Any, statement: str, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        answered(cluster.warehouse, lambda pools: pools.ask(lambda c: c.fetch(statement)), statement_timeout_ms=100)


def test_parameter_of_a_wrong_type_surfaces_as_a_fault_of_ours(cluster: Any) -> None:
    with pytest.raises(asyncpg.DataError):
        answered(cluster.warehouse, lambda pools: pools.ask(lambda c: c.fetchval("select $1::int4", "x")))


def test_exhausted_pool_is_database_down_after_the_wait(cluster: Any) -> None:
    async def work(pools: ServingPools) -> None:
        held = asyncio.create_task(pools.ask(lambda c: c.fetchval("select pg_sleep(0.5)")))
        await asyncio.sleep(0.2)
        with pytest.raises(DatabaseDown, match="overloaded"):
            await pools.ask(lambda c: c.fetchval("select 1"))
        await held

    answered(cluster.warehouse, work, wait_s=0.1)


def test_unreachable_server_is_database_down(cluster: Any) -> None:
    place = cluster.warehouse.database.model_copy(update={"port": 1})
    with pytest.raises(DatabaseDown, match="doctor"):
        answered(Warehouse(place), lambda pools: pools.ask(lambda c: c.fetchval("select 1")))


def test_wrong_password_says_what_to_run(cluster: Any) -> None:
    place = cluster.warehouse.database
    stranger = DatabaseSettings(host=place.host, port=place.port, name=place.name, password="wrong")
    with pytest.raises(NotMigrated, match="chandlery migrate"):
        answered(Warehouse(stranger), lambda pools: pools.ask(lambda c: c.fetchval("select 1")))


def test_place_is_not_looked_up_again_at_once_while_it_is_unknown() -> None:
    calls = []

    def locate() -> Warehouse:
        calls.append(1)
        raise DatabaseDown("The embedded database is not running.")

    async def run() -> None:
        pools = ServingPools(locate, size=1, statement_timeout_ms=100)
        for _ in range(20):
            with pytest.raises(DatabaseDown, match="not running"):
                await pools.ask(lambda c: c.fetchval("select 1"))
        await pools.close()

    asyncio.run(run())
    assert len(calls) == 1


def test_reader_is_read_only_and_under_the_statement_timeout_asked_for(cluster: Any) -> None:
    async def work(pools: ServingPools) -> tuple[str, str]:
        return (
            await pools.ask(lambda c: c.fetchval("show default_transaction_read_only")),
            await pools.ask(lambda c: c.fetchval("show statement_timeout")),
        )

    assert answered(cluster.warehouse, work, statement_timeout_ms=1234) == ("on", "1234ms")
