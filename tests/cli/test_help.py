"""Every command explains itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from chandlery import __version__
from chandlery.cli.app import app


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from commands(child, *path, name)


EVERY = dict(commands(get_command(app)))


def test_commands_are_those_the_documents_name() -> None:
    assert {" ".join(path) for path in EVERY} == {
        *("demo", "up", "down", "status", "doctor", "provider", "migrate", "env", "candles"),
        *("actions", "backfill", "revisions", "versions", "tape ingest", "tape show", "tape audit"),
        *("coverage", "quality", "strategies", "backtest"),
        *(f"study {name}" for name in ("run", "batch", "list", "show", "cancel", "resume", "priority")),
        *(f"export {name}" for name in ("pine", "pdf", "json", "csv", "parquet", "list", "clean")),
        *("keys create", "keys list", "keys revoke"),
        *(f"findings {name}" for name in ("show", "approve", "dismiss", "reopen", "judge")),
        *(f"repairs {name}" for name in ("show", "propose", "revert")),
        *(f"universe {name}" for name in ("list", "show", "add", "remove", "rename", "delist", "status")),
        *("calendar show", "calendar findings"),
        *(f"calendar exceptions {name}" for name in ("list", "add", "remove")),
    }


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_tells_what_the_command_does(run: Any, path: tuple[str, ...]) -> None:
    outcome = run(*path, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Usage: chandlery {' '.join(path)}" in outcome.out
    first_line = EVERY[path].help.splitlines()[0]
    assert first_line.split("`")[0].strip() in outcome.out


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_argument_and_option_is_described(path: tuple[str, ...]) -> None:
    assert [item.name for item in EVERY[path].params if not item.help] == []


def test_no_command_shows_the_table_of_commands(run: Any) -> None:
    outcome = run()
    assert all(path[0] in outcome.out for path in EVERY)
    assert "Exit status: 0 done" in outcome.out


def test_version_is_printed(run: Any) -> None:
    outcome = run("--version")
    assert (outcome.code, outcome.out.strip()) == (0, __version__)


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["status", "--nonsense"], ["candles"], ["keys"], ["keys", "revoke"]]
)
def test_wrong_use_is_exit_2_without_a_stack_trace(run: Any, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert outcome.code == 2
    assert "Usage: chandlery" in outcome.err + outcome.out
    assert "Traceback" not in outcome.err
