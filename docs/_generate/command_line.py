"""The command line: every command with its arguments and options."""

import inspect
from collections.abc import Iterator

import click
import typer

from chandlery.cli.app import app
from docs._generate.tables import code, table


def command_line() -> Iterator[str]:
    """Yield the page of commands."""
    root = typer.main.get_command(app)
    yield from ("# Command line", "", root.help or "", "", root.epilog or "")
    yield from _command(root, "chandlery")


def _command(command: click.Command, path: str) -> Iterator[str]:
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    words = [path, *(["[OPTIONS]"] if options else []), *(argument.human_readable_name for argument in arguments)]
    if isinstance(command, click.Group):
        words.append("COMMAND")
    yield from ("", f"## `{path}`", "", f"    {' '.join(words)}")
    if command.help and path != "chandlery":
        yield from ("", inspect.cleandoc(command.help))
    rows = [(code(item.human_readable_name), "needed", "", _help(command, item)) for item in arguments]
    rows += [(_names(option), _takes(option), code(_default(option)), option.help or "") for option in options]
    if rows:
        yield from ("", *table(("parameter", "takes", "default", "meaning"), rows))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(inner, f"{path} {name}")


def _help(command: click.Command, argument: click.Argument) -> str:
    """Return an argument's help from its declaration: typer 0.25 loses it with click 8.5."""
    declared = inspect.signature(command.callback or _help).parameters[argument.name or ""]
    infos = [declared.default, *getattr(declared.annotation, "__metadata__", ())]
    return next((text for info in infos if (text := getattr(info, "help", None))), "")


def _names(option: click.Option) -> str:
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _takes(option: click.Option) -> str:
    if option.is_flag:
        return "nothing"
    return " or ".join(option.type.choices) if isinstance(option.type, click.Choice) else option.type.name


def _default(option: click.Option) -> str:
    value = option.default
    if value is None or value is False or callable(value):
        return ""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(getattr(value, "value", value))
