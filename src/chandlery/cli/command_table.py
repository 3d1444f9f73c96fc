"""The command table: which module answers which word. A module is loaded when its command is asked for.

Loading all of them takes a second (database drivers, rules, providers); a list of strategies needs none of it.
"""

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import click
import typer
from typer.core import TyperGroup
from typer.main import get_command

COMMANDS = {
    **{name: name for name in ("demo", "up", "status", "doctor", "provider", "migrate", "env")},
    "down": "up",
    "env": "environment",
    **{name: name for name in ("candles", "coverage", "quality", "actions", "backfill")},
    "revisions": "history",
    "versions": "history",
    **{name: name for name in ("strategies", "backtest", "study", "export")},
    **{name: name for name in ("keys", "universe", "calendar", "tape", "findings", "repairs")},
}
"""Module of every command, in the order of the help. A module holds a function of that name, or `app`."""


class Commands(MutableMapping[str, click.Command]):
    """The commands by name, each built at its first use."""

    def __init__(self) -> None:
        self._built: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._built:
            self._built[name] = _build(name, COMMANDS[name])
        return self._built[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class CommandTable(TyperGroup):
    """The group of all commands."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - passed on to typer as it is
        super().__init__(**given)
        self.commands = Commands()


def _build(name: str, module_name: str) -> click.Command:
    module = importlib.import_module(f"chandlery.cli.{module_name}")
    group = getattr(module, "app", None)
    if group is None:
        group = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        group.command(name)(getattr(module, name))
    command = get_command(group)
    command.name = name
    return command
