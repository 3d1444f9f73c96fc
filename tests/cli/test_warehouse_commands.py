"""migrate, status, doctor, keys and env against a real database."""

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chandlery.store.embedded import EmbeddedPostgres
from chandlery.store.keys import parse_key

Variables = dict[str, object]


@pytest.fixture
def here(fresh: Any, server_of: Callable[[Any], Variables], tmp_path: Path) -> Variables:
    """The variables of a migrated database, with ports nobody uses."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    names = ("CHANDLERY_DAGSTER__PORT", "CHANDLERY_API__PORT", "CHANDLERY_PROVIDER__PORT")
    return {**server_of(fresh), **dict(zip(names, ports, strict=True)), "CHANDLERY_HOME": tmp_path / "home"}


@pytest.fixture(scope="module")
def untouched(reachable_dir: Callable[[], Path]) -> Iterator[Path]:
    """A home in which nothing was ever done; its server is stopped in the end."""
    home = reachable_dir()
    yield home
    EmbeddedPostgres(home).stop()


def test_status_of_an_empty_warehouse_is_zeros_in_full_shape(run: Any, here: Variables) -> None:
    outcome = run("status", "--json", **here)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == {
        "symbols": 0,
        "bars": {"1m": 0, "1d": 0},
        "candles": {"5m": 0, "15m": 0, "30m": 0, "1h": 0, "4h": 0, "1d": 0, "1w": 0},
        "quality": {"partitions": 0, "mean_score": None},
        "findings": 0,
        "held": 0,
        "studies": 0,
        "risk_reports": 0,
        "sources": [],
    }


def test_status_for_people_names_every_stage(run: Any, here: Variables) -> None:
    outcome = run("status", **here)
    assert outcome.code == 0
    for name in ("symbols", "bars", "sources", "candles", "quality", "findings", "studies", "risk reports"):
        assert name in outcome.out
    assert "0 partitions, mean score -" in outcome.out


def test_migrate_can_be_repeated(run: Any, here: Variables) -> None:
    outcomes = [run("migrate", **here) for _ in range(2)]
    assert [(outcome.code, outcome.out) for outcome in outcomes] == [(0, "warehouse at revision 0004\n")] * 2


def test_log_lines_are_one_json_object_each_if_asked(run: Any, here: Variables) -> None:
    outcome = run("-v", "migrate", CHANDLERY_LOG_STYLE="json", **here)
    events = [json.loads(line) for line in outcome.err.splitlines() if "warehouse_migrated" in line]
    assert [(event["revision"], event["level"]) for event in events] == [("0004", "info")]


def test_quiet_by_default(run: Any, here: Variables) -> None:
    assert run("migrate", **here).err == ""


def test_doctor_finds_a_sound_installation_sound(run: Any, here: Variables) -> None:
    outcome = run("doctor", **here)
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split()[:2] for line in outcome.out.splitlines()] == [
        ["ok", name] for name in ("python", "settings", "folder", "ports", "database", "source")
    ]
    assert "schema current" in outcome.out


def test_doctor_names_everything_that_is_wrong(run: Any, here: Variables, fresh: Any, tell: Any) -> None:
    tell(fresh, "update ops.alembic_version set version_num = '9999'")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        outcome = run("doctor", **{**here, "CHANDLERY_API__PORT": port})
    assert outcome.code == 1
    wrong = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
    assert [line.split()[1] for line in wrong] == ["ports", "database"]
    assert f"{port} (api)" in wrong[0]
    assert "9999" in wrong[1]
    assert "chandlery migrate" in wrong[1]


def test_doctor_survives_brackets_in_a_path(run: Any, here: Variables, tmp_path: Path) -> None:
    outcome = run("doctor", **{**here, "CHANDLERY_HOME": tmp_path / "[bold]home"})
    assert outcome.code == 0
    assert "[bold]home" in outcome.out


@pytest.mark.parametrize("arguments", [["keys", "list"], ["candles", "AAPL", "1h"], ["doctor"]], ids=" ".join)
def test_untouched_installation_is_told_to_migrate(run: Any, untouched: Path, arguments: list[str]) -> None:
    outcome = run(*arguments, CHANDLERY_HOME=untouched, CHANDLERY_API__PORT=1, CHANDLERY_DAGSTER__PORT=1)
    assert outcome.code in {1, 5}
    assert "chandlery migrate" in outcome.out + outcome.err


def test_down_stops_the_database_an_earlier_command_started(run: Any, untouched: Path) -> None:
    EmbeddedPostgres(untouched).ensure()
    outcomes = [run("down", CHANDLERY_HOME=untouched) for _ in range(2)]
    assert [outcome.out for outcome in outcomes] == ["database stopped\n", "database was not running\n"]


def test_key_lives_from_creation_to_revocation(run: Any, here: Variables) -> None:
    created = run("keys", "create", "desk", "--scope", "read:candles", "--scope", "read:risk", "--days", "30", **here)
    plain = created.out.strip()
    presented = parse_key(plain)
    assert presented is not None
    listed = run("keys", "list", **here).out
    (row,) = [line for line in listed.splitlines() if presented.key_id in line]
    cells = [cell.strip() for cell in re.split("[│┃]", row)[1:-1]]
    assert (cells[0], cells[1], cells[3]) == (presented.key_id, "desk", "read:candles read:risk")
    assert cells[5] > cells[4]
    assert (cells[6], cells[7]) == ("", "")
    assert presented.secret not in listed
    revoked = run("keys", "revoke", presented.key_id, **here)
    assert (revoked.code, revoked.out) == (0, f"revoked {presented.key_id}\n")
    (row,) = [line for line in run("keys", "list", **here).out.splitlines() if presented.key_id in line]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.split("[│┃]", row)[7].strip())


def test_key_without_choices_may_read_everything_for_ever(run: Any, here: Variables) -> None:
    run("keys", "create", "desk", **here)
    listed = run("keys", "list", **here).out
    assert "read:candles read:quality read:research read:risk" in listed


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["create", " "], 2, "name"),
        (["create", "desk", "--scope", "write:all"], 2, "write:all"),
        (["create", "desk", "--days", "0"], 2, "days"),
        (["revoke", "absent"], 3, "absent"),
    ],
)
def test_key_command_that_cannot_work_says_why(
    run: Any, here: Variables, arguments: list[str], code: int, words: str
) -> None:
    outcome = run("keys", *arguments, **here)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err


def test_environment_can_be_taken_over_by_a_shell(run: Any, here: Variables, fresh: Any) -> None:
    outcome = run("env", **here)
    assert outcome.code == 0
    script = f'{outcome.out}\necho "$CHANDLERY_DBT_USER" "$DAGSTER_HOME" "$CHANDLERY_DAGSTER_URL"'
    user, home, url = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert user == "chandlery_pipeline"
    assert (Path(home) / "dagster.yaml").is_file()
    assert url == fresh.url("pipeline", driver="psycopg2", schema="dagster")
