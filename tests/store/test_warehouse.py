"""Connections: transactions, read-only snapshots, and foreign errors as ours."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chandlery.errors import Conflict, DatabaseDown
from chandlery.settings import Settings
from chandlery.store.frames import read_frame
from chandlery.store.warehouse import Warehouse, open_warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]


@pytest.fixture(scope="module")
def dead(postgres: Any) -> Warehouse:
    """The warehouse of a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return postgres.warehouse("gone", port=port)  # type: ignore[no-any-return]


@pytest.fixture
def numbers(warehouse: Warehouse, tell: Tell) -> str:
    tell(
        warehouse,
        "drop table if exists marts.numbers",
        "create table marts.numbers (i int primary key)",
        role="pipeline",
    )
    return "marts.numbers"


def test_transaction_commits_on_success(warehouse: Warehouse, numbers: str, ask: Ask) -> None:
    with warehouse.write() as connection:
        connection.execute(text(f"insert into {numbers} values (1)"))
    assert ask(warehouse, f"select i from {numbers}") == [(1,)]


def test_transaction_is_undone_by_any_error(warehouse: Warehouse, numbers: str, ask: Ask) -> None:
    def fail() -> None:
        with warehouse.write() as connection:
            connection.execute(text(f"insert into {numbers} values (1)"))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert ask(warehouse, f"select i from {numbers}") == []


def test_reader_cannot_write(warehouse: Warehouse, numbers: str) -> None:
    with warehouse.read() as connection, pytest.raises(DBAPIError, match="read-only transaction"):
        connection.execute(text(f"insert into {numbers} values (1)"))


def test_reader_sees_one_snapshot(warehouse: Warehouse, numbers: str, tell: Tell) -> None:
    count = text(f"select count(*) from {numbers}")
    with warehouse.read() as connection:
        before = connection.execute(count).scalar()
        tell(warehouse, f"insert into {numbers} values (1)", role="pipeline")
        assert connection.execute(count).scalar() == before == 0


def test_nothing_stays_connected(postgres: Any, warehouse: Warehouse, ask: Ask) -> None:
    with warehouse.read(), warehouse.write():
        pass
    read_frame(warehouse, "select 1 as i")
    query = "select count(*) from pg_stat_activity where datname = %s and backend_type = 'client backend'"
    assert ask(postgres.warehouse("postgres"), query, warehouse.database.name) == [(0,)]


def test_kept_connection_serves_one_transaction_after_the_other(
    postgres: Any, warehouse: Warehouse, numbers: str, ask: Ask
) -> None:
    asked = text("select pg_backend_pid(), current_setting('transaction_read_only')")
    with warehouse.kept() as kept:
        with kept.read() as reader:
            pid = reader.execute(asked).one()[0]
        with pytest.raises(DBAPIError), kept.write() as writer:
            writer.execute(text(f"insert into {numbers} values (1), (1)"))
        with kept.write() as writer:
            writer.execute(text(f"insert into {numbers} values (2)"))
            assert writer.execute(asked).one() == (pid, "off")
            isolation = writer.execute(text("select current_setting('transaction_isolation')")).scalar()
    assert isolation == "read committed"
    assert ask(warehouse, f"select i from {numbers}") == [(2,)]
    query = "select count(*) from pg_stat_activity where datname = %s and backend_type = 'client backend'"
    assert ask(postgres.warehouse("postgres"), query, warehouse.database.name) == [(0,)]


def test_kept_connection_that_was_lost_while_idle_is_replaced(postgres: Any, warehouse: Warehouse, tell: Tell) -> None:
    asked = text("select pg_backend_pid()")
    with warehouse.kept() as kept:
        with kept.read() as reader:
            pid = reader.execute(asked).scalar()
        tell(postgres.warehouse("postgres"), f"select pg_terminate_backend({pid}, 5000)")
        with kept.write() as writer:
            assert writer.execute(asked).scalar() != pid


def test_dead_database_is_named_by_host_and_port(dead: Warehouse) -> None:
    place = f"127.0.0.1:{dead.database.port}/gone"
    for attempt in (dead.read, dead.write):
        with pytest.raises(DatabaseDown, match=place), attempt():
            pass
    with pytest.raises(DatabaseDown, match=place):
        read_frame(dead, "select 1")


def test_wrong_password_says_so_and_does_not_repeat_it(postgres: Any) -> None:
    wrong = postgres.warehouse("postgres", password="canary-8d1f")
    with pytest.raises(DatabaseDown, match="password authentication failed") as refusal, wrong.read("owner"):
        pass
    assert "canary-8d1f" not in str(refusal.value)
    with pytest.raises(DatabaseDown, match="password authentication failed") as refusal:
        read_frame(wrong, "select 1", role="owner")
    assert "canary-8d1f" not in str(refusal.value)


def test_connection_lost_in_a_transaction_is_a_database_down(postgres: Any, warehouse: Warehouse, tell: Tell) -> None:
    def lose() -> None:
        with warehouse.write() as connection:
            pid = connection.execute(text("select pg_backend_pid()")).scalar()
            tell(postgres.warehouse("postgres"), f"select pg_terminate_backend({pid}, 5000)")
            connection.execute(text("select 1"))

    with pytest.raises(DatabaseDown, match=f"{warehouse.database.port}/{warehouse.database.name}"):
        lose()


def test_lock_not_granted_in_time_is_a_conflict(warehouse: Warehouse, numbers: str) -> None:
    def wait() -> None:
        with warehouse.write() as second:
            second.execute(text("set local lock_timeout = '20ms'"))
            second.execute(text(f"lock table {numbers}"))

    with warehouse.write() as first:
        first.execute(text(f"lock table {numbers}"))
        with pytest.raises(Conflict, match="55P03"):
            wait()


def test_deadlock_is_a_conflict_for_one_and_nothing_for_the_other(
    warehouse: Warehouse, numbers: str, tell: Tell, ask: Ask
) -> None:
    tell(warehouse, f"insert into {numbers} values (1), (2)", role="pipeline")
    both_hold = threading.Barrier(2, timeout=20)
    outcomes: list[str] = []

    def move(first: int, second: int) -> None:
        try:
            with warehouse.write() as connection:
                connection.execute(text("set local deadlock_timeout = '10ms'"))
                connection.execute(text(f"update {numbers} set i = i + 10 where i = {first}"))
                both_hold.wait()
                connection.execute(text(f"update {numbers} set i = i + 10 where i = {second}"))
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    tell(warehouse, "grant set on parameter deadlock_timeout to chandlery_pipeline")
    threads = [threading.Thread(target=move, args=order) for order in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "done"]
    assert ask(warehouse, f"select i from {numbers} order by 1") == [(11,), (12,)]


def test_server_profile_uses_the_place_it_is_given() -> None:
    database = {"host": "db.example", "port": 6543, "name": "prices", "user": "boss", "password": "p"}
    settings = Settings(_env_file=None, profile="server", database=database)  # type: ignore[arg-type]
    assert open_warehouse(settings).database == settings.database


def test_url_names_driver_and_search_path(postgres: Any) -> None:
    url = postgres.warehouse("prices", password="p", port=5432).url("owner", driver="psycopg2", schema="dagster")
    assert url == "postgresql+psycopg2://chandlery:p@127.0.0.1:5432/prices?options=-csearch_path%3Ddagster"
