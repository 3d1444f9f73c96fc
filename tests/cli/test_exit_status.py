"""What goes wrong is one message on standard error and the exit status of its kind."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

CANARY = "canary-5e07"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def test_bad_settings_are_listed_at_once_without_their_values(run: Any) -> None:
    outcome = run(
        "status",
        CHANDLERY_PROFILE="clustr",
        CHANDLERY_API__PORT="0",
        CHANDLERY_DATABASE__PORT=CANARY,
        CHANDLERY_DATABASE__PASSWORD=CANARY,
        CHANDLERY_MASSIVE__RETRIES="-1",
        CHANDLERY_MASSIVE__APIKEY=CANARY,
    )
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("config: Settings were read from the environment and .env; these are wrong:\n")
    named = ["PROFILE", "API__PORT", "DATABASE__PORT", "MASSIVE__RETRIES", "MASSIVE__APIKEY"]
    assert sorted(line.split(":")[0].strip() for line in outcome.err.strip().splitlines()[1:]) == sorted(
        f"CHANDLERY_{name}" for name in named
    )
    assert CANARY not in outcome.err


def test_setting_that_is_no_json_is_a_setting_that_is_wrong(run: Any) -> None:
    outcome = run("status", CHANDLERY_PIPELINE__SYMBOLS="AAPL,MSFT")
    assert outcome.code == 2
    assert "CHANDLERY_PIPELINE__SYMBOLS" in outcome.err


def test_process_ends_with_the_status_of_the_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chandlery", "candles", "AAPL", "1h"]
    done = subprocess.run(
        command, env={"CHANDLERY_PROFILE": "none"}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "CHANDLERY_PROFILE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["provider", "demo"])
def test_bad_tape_folder_is_exit_2(
    run: Any, fresh: Any, server_of: Callable[[Any], dict[str, object]], tmp_path: Path, command: str
) -> None:
    (tmp_path / "notes.txt").write_text("no tape")
    variables = {**server_of(fresh), "CHANDLERY_HOME": tmp_path / "home"}
    for folder, words in ((tmp_path / "absent", "that is no folder"), (tmp_path, "holds notes.txt")):
        outcome = run(command, "--tape", str(folder), **variables)
        assert outcome.code == 2
        assert "bad_tape: " in outcome.err
        assert str(folder) in outcome.err
        assert words in outcome.err.replace("home, ", "")


@pytest.mark.parametrize("service", ["dagster-webserver", "api", "provider"])
def test_port_in_use_is_named_with_who_wanted_it(run: Any, taken: int, tmp_path: Path, service: str) -> None:
    ports = dict(zip(("dagster-webserver", "api", "provider"), free_ports(3), strict=True)) | {service: taken}
    outcome = run(
        "up",
        CHANDLERY_HOME=tmp_path / "home",
        CHANDLERY_DAGSTER__PORT=ports["dagster-webserver"],
        CHANDLERY_API__PORT=ports["api"],
        CHANDLERY_PROVIDER__PORT=ports["provider"],
    )
    assert (outcome.code, outcome.out) == (2, "")
    assert f"in use on this machine: {taken} ({service})." in outcome.err
    assert not (tmp_path / "home").exists()


def test_provider_on_a_port_in_use_is_exit_2(run: Any, taken: int, tmp_path: Path) -> None:
    import polars as pl

    (tmp_path / "us_daily").mkdir()
    day = pl.DataFrame({"symbol": "A", "session": "2024-01-02", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0})
    day = day.with_columns(pl.col("session").str.to_date(), volume=pl.lit(1.0))
    day.write_parquet(tmp_path / "us_daily" / "A.parquet")
    outcome = run("provider", "--tape", str(tmp_path), "--port", str(taken))
    assert outcome.code == 2
    assert f"127.0.0.1:{taken}" in outcome.err


@pytest.mark.parametrize("arguments", [["status"], ["candles", "AAPL", "1h"], ["keys", "list"], ["migrate"]])
def test_dead_database_is_exit_5_naming_host_and_port(run: Any, arguments: list[str]) -> None:
    (port,) = free_ports(1)
    outcome = run(
        *arguments,
        CHANDLERY_PROFILE="server",
        CHANDLERY_DATABASE__PORT=port,
        CHANDLERY_DATABASE__PASSWORD=CANARY,
    )
    assert (outcome.code, outcome.out) == (5, "")
    assert outcome.err.startswith("database_down: ")
    assert f"127.0.0.1:{port}" in outcome.err
    assert CANARY not in outcome.err


@pytest.mark.parametrize("text", ["[/a]", "[red]x", "[link=x]"])
def test_brackets_in_a_message_are_text(run: Any, fresh: Any, server_of: Any, text: str) -> None:
    outcome = run("candles", text, "1h", **server_of(fresh))
    assert outcome.code == 2
    assert text in outcome.err


def test_second_up_is_refused_and_down_stops_the_first(run: Any, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "up"]) as running:
        (tmp_path / "home" / "up.json").write_bytes(orjson.dumps({"pid": running.pid, "urls": {}}))
        outcome = run("up", CHANDLERY_HOME=tmp_path / "home")
        assert outcome.code == 2
        assert f"process {running.pid}" in outcome.err
        outcome = run("down", CHANDLERY_HOME=tmp_path / "home")
        assert (outcome.code, outcome.out) == (0, "services stopped\ndatabase was not running\n")
        assert running.wait() == -15


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', '{"pid": 99999999}', "{}"])
def test_down_leaves_processes_of_others_alone(run: Any, tmp_path: Path, content: str) -> None:
    (tmp_path / "up.json").write_text(content)
    outcome = run("down", CHANDLERY_HOME=tmp_path)
    assert (outcome.code, outcome.out) == (0, "database was not running\n")
