"""The life of the embedded server: found, raced for, killed, recovered, refused."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chandlery.errors import ConfigError, DatabaseDown
from chandlery.settings import Settings
from chandlery.store.embedded import EmbeddedPostgres, Server
from chandlery.store.warehouse import open_warehouse

_STARTER = """
import sys, time
from pathlib import Path
from chandlery.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1])).ensure()
print(server.port, server.password, file=sys.stderr)
time.sleep(float(sys.argv[2]))
"""


def start_in_child(home: Path, *, stay_s: float = 0.0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _STARTER, str(home), str(stay_s)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def connect(server: Server) -> "psycopg.Connection[Any]":
    return psycopg.connect(
        host=server.host, port=server.port, user=server.user, password=server.password, dbname="postgres"
    )


def write_until_lost(server: Server, pid: int) -> None:
    """Write without a commit, kill the postmaster, and go on asking."""
    with connect(server) as connection:
        connection.execute("insert into kept values (-1)")
        os.kill(pid, signal.SIGKILL)
        for _ in range(500):
            connection.execute("select 1")
            time.sleep(0.01)


@pytest.fixture(scope="module")
def orphan(reachable_dir: Callable[[], Path]) -> Iterator[EmbeddedPostgres]:
    """A server whose starter was killed with SIGKILL. Tests may stop or kill it: each calls `ensure` first."""
    home = reachable_dir()
    with start_in_child(home, stay_s=60) as child:
        assert child.stderr is not None
        assert child.stderr.readline().split()[0].isdigit()
        child.kill()
    embedded = EmbeddedPostgres(home)
    yield embedded
    embedded.stop()


def test_server_outlives_the_sigkill_of_its_starter(orphan: EmbeddedPostgres) -> None:
    server = orphan.running()
    assert server is not None
    with connect(server) as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_second_object_finds_the_running_server(postgres: Any) -> None:
    other = EmbeddedPostgres(postgres.home)
    assert other.running() == postgres.server
    assert other.ensure() == postgres.server


def test_second_process_finds_the_running_server(postgres: Any) -> None:
    with start_in_child(postgres.home) as child:
        assert child.stderr is not None
        assert child.stderr.read().split()[-2:] == [str(postgres.server.port), postgres.server.password]


def test_six_processes_on_a_cold_folder_get_one_server(reachable_dir: Callable[[], Path]) -> None:
    home = reachable_dir()
    children = [start_in_child(home) for _ in range(6)]
    answers = [child.communicate(timeout=120)[1].split()[-2:] for child in children]
    embedded = EmbeddedPostgres(home)
    server = embedded.running()
    embedded.stop()
    assert server is not None
    assert answers == [[str(server.port), server.password]] * 6
    assert [child.returncode for child in children] == [0] * 6


def test_acknowledged_rows_survive_the_sigkill_of_the_postmaster(orphan: EmbeddedPostgres) -> None:
    before = orphan.ensure()
    pid = int((orphan._data / "postmaster.pid").read_text().split()[0])
    with connect(before) as connection:
        connection.execute("create table kept as select i from generate_series(1, 1000) as i")
    with pytest.raises(psycopg.OperationalError):
        write_until_lost(before, pid)
    after = orphan.ensure()
    assert after == before
    with connect(after) as connection:
        assert connection.execute("select count(*), min(i) from kept").fetchall() == [(1000, 1)]


def test_stopped_server_starts_again_at_its_old_port(orphan: EmbeddedPostgres) -> None:
    before = orphan.ensure()
    assert orphan.stop() is True
    assert orphan.running() is None
    assert orphan.ensure() == before


def test_server_moves_away_from_a_port_taken_meanwhile(orphan: EmbeddedPostgres) -> None:
    before = orphan.ensure()
    orphan.stop()
    with socket.create_server((before.host, before.port)):
        after = orphan.ensure()
    assert after.port != before.port
    assert after.password == before.password
    with connect(after) as connection:
        assert connection.info.port == after.port


def test_second_stop_says_that_nothing_ran(orphan: EmbeddedPostgres) -> None:
    orphan.ensure()
    assert [orphan.stop(), orphan.stop()] == [True, False]


def test_folder_without_its_server_file_is_refused(orphan: EmbeddedPostgres) -> None:
    orphan.stop()
    aside = orphan._json.rename(orphan._json.with_suffix(".aside"))
    try:
        with pytest.raises(ConfigError, match=r"server\.json is missing"):
            orphan.ensure()
    finally:
        aside.rename(orphan._json)


@pytest.mark.parametrize("content", ["", "{}"])
def test_damaged_server_file_is_refused_in_words(orphan: EmbeddedPostgres, content: str) -> None:
    # A power cut can leave the file empty: it is renamed into place without a sync.
    orphan.stop()
    aside = orphan._json.rename(orphan._json.with_suffix(".aside"))
    try:
        orphan._json.write_text(content)
        with pytest.raises(ConfigError, match=r"server\.json"):
            orphan.ensure()
    finally:
        aside.rename(orphan._json)


def test_leftovers_of_a_killed_initialisation_are_replaced(reachable_dir: Callable[[], Path]) -> None:
    embedded = EmbeddedPostgres(reachable_dir())
    (embedded._dir / "data.new" / "base").mkdir(parents=True)
    (embedded._dir / "data.new" / "PG_VERSION").write_text("18\n")
    embedded._data.mkdir()
    try:
        with connect(embedded.ensure()) as connection:
            assert connection.execute("show server_encoding").fetchall() == [("UTF8",)]
        assert not (embedded._dir / "data.new").exists()
    finally:
        embedded.stop()


def test_folder_of_something_else_is_left_alone(reachable_dir: Callable[[], Path]) -> None:
    embedded = EmbeddedPostgres(reachable_dir())
    embedded._data.mkdir(parents=True)
    (embedded._data / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not a PostgreSQL cluster"):
        embedded.ensure()
    assert [path.name for path in embedded._data.iterdir()] == ["thesis.txt"]


def test_cluster_of_another_version_is_refused(reachable_dir: Callable[[], Path]) -> None:
    embedded = EmbeddedPostgres(reachable_dir())
    embedded._data.mkdir(parents=True)
    (embedded._data / "PG_VERSION").write_text("9\n")
    embedded._json.write_text(json.dumps({"port": 1, "password": "x"}))
    with pytest.raises(ConfigError, match=r"made by PostgreSQL 9, the binaries found are \d\d"):
        embedded.ensure()


def test_folder_that_cannot_be_written_names_the_setting() -> None:
    # Nobody may create a folder there, not even root.
    with pytest.raises(ConfigError, match="CHANDLERY_HOME"):
        EmbeddedPostgres(Path("/proc/chandlery")).ensure()


def test_nothing_runs_in_an_untouched_folder(tmp_path: Path) -> None:
    embedded = EmbeddedPostgres(tmp_path)
    assert embedded.running() is None
    assert embedded.stop() is False
    with pytest.raises(DatabaseDown, match="chandlery up"):
        open_warehouse(Settings(_env_file=None, home=tmp_path), start=False)


def test_settings_of_profile_embedded_lead_to_the_running_server(postgres: Any) -> None:
    found = open_warehouse(Settings(_env_file=None, home=postgres.home)).database
    assert (found.port, found.name, found.password.get_secret_value()) == (
        postgres.server.port,
        "chandlery",
        postgres.server.password,
    )


def test_password_file_and_folder_are_the_owners_alone(postgres: Any) -> None:
    assert stat.S_IMODE(postgres.embedded._json.stat().st_mode) == 0o600
    assert stat.S_IMODE(postgres.embedded._dir.stat().st_mode) == 0o700


def test_server_listens_on_one_loopback_address_only(postgres: Any) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", postgres.server.port), timeout=2)
    with connect(postgres.server) as connection:
        assert connection.execute("show unix_socket_directories").fetchall() == [("",)]


def test_every_way_in_asks_for_a_scram_password(postgres: Any) -> None:
    with connect(postgres.server) as connection:
        methods = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
        stored = connection.execute("select rolpassword from pg_authid where rolpassword is not null").fetchall()
    assert methods == [("scram-sha-256",)]
    assert all(password.startswith("SCRAM-SHA-256$") for (password,) in stored)
