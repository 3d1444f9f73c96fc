"""One temporary PostgreSQL a session, and so one an xdist worker; one database a module, copied from a migrated one."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from untraced import untraced

# No test asserts on time: an example may be slow on a busy machine.
hypothesis.settings.register_profile("chandlery", deadline=None)
hypothesis.settings.load_profile("chandlery")

_MIGRATED = "migrated_template"


_LONGEST = (
    "test_demo.py",
    "test_tape_ingest.py",
    "test_touched_sessions.py",
    "test_every_fault.py",
    "test_ingest_survives_kill.py",
    "test_study_survives_kill.py",
    "test_every_strategy.py",
    "test_candle_reads.py",
    "test_every_export.py",
    "test_script.py",
)

_TRACED_CASES = 2
_UNTRACED = ("dbt",)
"""Folders whose tests run SQL, and no line of ours that others do not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the tracer from the cases coverage can do without, and put the longest files first.

    Under coverage Python runs two to four times slower (Python 3.11; the contract of the strategies took 139 s of
    CPU with it and 38 s without). The first cases of a parametrised test go through the lines of all of them;
    what the others add is not counted, so the figure is at most too low.

    Longest first, the workers of a parallel run end together: `--no-loadscope-reorder` keeps xdist from putting the
    files with the most tests first instead.
    """
    cases: Counter[tuple[Path, str]] = Counter()
    for item in items:
        test = (item.path, item.name.partition("[")[0])
        cases[test] += 1
        if cases[test] > _TRACED_CASES or item.path.parent.name in _UNTRACED:
            item.add_marker(pytest.mark.untraced)
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test marked `untraced` without the tracer.

    The mark `no_cover` of pytest-cov stops and starts all of coverage instead, a new tracer each time: a whole run
    then ended without any data (coverage 7.17, pytest-cov 7.1).
    """
    if item.get_closest_marker("untraced") is None:
        return (yield)
    with untraced():
        return (yield)


@dataclass(frozen=True)
class TemporaryPostgres:
    """A running cluster in a folder of its own; `create` makes databases in it."""

    home: Path
    embedded: Any
    server: Any
    _numbers: Iterator[int] = field(default_factory=count)

    def warehouse(self, name: str, **changes: object) -> Any:
        """Return the warehouse of a database that may not exist, under the superuser unless `changes` say other."""
        from chandlery.settings import DatabaseSettings
        from chandlery.store.warehouse import Warehouse

        server = self.server
        place = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
        return Warehouse(DatabaseSettings.model_validate({**place, "name": name, **changes}))

    def create(self, name: str = "fresh", *, template: str = _MIGRATED) -> Any:
        """Return the warehouse of a new database: a copy of the migrated one, or with `template1` an empty one."""
        unique = f"{re.sub(r'[^a-z0-9]+', '_', name.lower())[-50:]}_{next(self._numbers)}"
        self.do(f'create database "{unique}" template {template}')
        return self.warehouse(unique)

    def drop(self, warehouse: Any) -> None:
        """Remove a database, whoever is connected to it."""
        self.do(f'drop database if exists "{warehouse.database.name}" with (force)')

    def do(self, *statements: str) -> None:
        """Run statements outside any transaction, as the superuser."""
        with psycopg.connect(self.warehouse("postgres").url("owner"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def reachable_dir() -> Iterator[Callable[[], Path]]:
    """Return a maker of empty folders whose parents every user can enter, as the server's own user must."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="chandlery-test-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(reachable_dir: Callable[[], Path]) -> Iterator[TemporaryPostgres]:
    """The session's cluster, with a migrated database to copy from."""
    from chandlery.store.embedded import EmbeddedPostgres
    from chandlery.store.migrate import migrate

    home = reachable_dir()
    embedded = EmbeddedPostgres(home)
    try:
        running = TemporaryPostgres(home, embedded, embedded.ensure())
        # Nothing here has to outlive a power cut, and every test makes a database.
        running.do(*(f"alter system set {name} = off" for name in ("fsync", "full_page_writes", "synchronous_commit")))
        running.do("select pg_reload_conf()")
        migrate(running.warehouse(_MIGRATED))
        yield running
    finally:
        embedded.stop()


@pytest.fixture(scope="module")
def warehouse(postgres: TemporaryPostgres, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A migrated database of the module's own."""
    made = postgres.create(request.module.__name__)
    yield made
    postgres.drop(made)


@pytest.fixture
def fresh(postgres: TemporaryPostgres) -> Iterator[Any]:
    """A migrated database of the test's own."""
    made = postgres.create()
    yield made
    postgres.drop(made)


@pytest.fixture(scope="session")
def ask() -> Callable[..., list[tuple[Any, ...]]]:
    """Return a function that runs one query and gives its rows."""

    def run(warehouse: Any, query: str, *parameters: object, role: str = "owner") -> list[tuple[Any, ...]]:
        with psycopg.connect(warehouse.url(role)) as connection:
            return connection.execute(query, parameters or None).fetchall()

    return run


@pytest.fixture(scope="session")
def tell() -> Callable[..., None]:
    """Return a function that runs statements in one transaction."""

    def run(warehouse: Any, *statements: str, role: str = "owner") -> None:
        with psycopg.connect(warehouse.url(role)) as connection:
            for statement in statements:
                connection.execute(statement)

    return run
