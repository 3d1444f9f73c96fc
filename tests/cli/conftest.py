"""The command line in this process: arguments and environment in, exit status and text out."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

with warnings.catch_warnings():
    # Seen 2026-11: typer 0.25 imports names that click 8.4 deprecates; nothing we could change.
    warnings.simplefilter("ignore", DeprecationWarning)
    import typer  # noqa: F401 - so that later imports find it loaded


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside: neither variables nor a `.env` beside us."""
    for name in list(os.environ):
        if name.startswith("CHANDLERY_") or name == "POLYGON_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Return a function that runs `chandlery ARGUMENTS` under some variables."""
    from chandlery.cli import main

    def invoke(*arguments: str, **variables: object) -> Outcome:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, str(value))
            patch.setattr(sys, "argv", ["chandlery", *arguments])
            capsys.readouterr()
            code: Any = 0
            try:
                main()
            except SystemExit as end:
                code = end.code
            said = capsys.readouterr()
        return Outcome(code or 0, said.out, said.err)

    yield invoke
    # The command line configures logging for its process, which is ours.
    structlog.reset_defaults()
    root = logging.getLogger("chandlery")
    root.handlers, root.propagate = [], True
    root.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def server_of() -> Callable[[Any], dict[str, object]]:
    """Return a function giving the variables of profile `server` for a warehouse."""

    def variables(warehouse: Any) -> dict[str, object]:
        place = warehouse.database
        return {
            "CHANDLERY_PROFILE": "server",
            "CHANDLERY_DATABASE__HOST": place.host,
            "CHANDLERY_DATABASE__PORT": place.port,
            "CHANDLERY_DATABASE__NAME": place.name,
            "CHANDLERY_DATABASE__USER": place.user,
            "CHANDLERY_DATABASE__PASSWORD": place.password.get_secret_value(),
        }

    return variables
