"""`chandlery strategies [NAME]`."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import typer
from rich.console import Console

from chandlery.cli.rows import rows_table, show_json
from chandlery.errors import InvalidInput
from chandlery.steps.catalogue import list_strategies, show_strategy

_COLUMNS = ("name", "family", "parameters", "title")
_PARAMETER_COLUMNS = ("parameter", "type", "default", "lowest", "highest", "step", "log")


def strategies(
    name: str | None = typer.Argument(None, help="Strategy to show in full; without it all are listed."),
    *,
    family: str | None = typer.Option(None, help="Only this family, for example trend."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """List the strategies of the library, or show one in full: parameters, signals, rules, search space."""
    if name is not None and family is not None:
        raise InvalidInput(f"A strategy ({name}) and a family ({family}) were named; give one of them.")
    facts: Any = list_strategies(family) if name is None else show_strategy(name)
    if json:
        show_json(facts)
    elif name is None:
        Console().print(rows_table([_row(entry) for entry in facts], _COLUMNS))
        typer.echo(f"{len(facts)} strategies; `chandlery strategies NAME` shows one in full.")
    else:
        _show(facts)


def _row(facts: Mapping[str, Any]) -> dict[str, object]:
    parameters = ", ".join(f"{entry['name']} {entry['default']:g}" for entry in facts["params"])
    return {**facts, "parameters": parameters}


def _show(facts: Mapping[str, Any]) -> None:
    typer.echo(f"{facts['name']}: {facts['title']} ({facts['family']}, version {facts['version']})\n\n{facts['doc']}")
    _lines("After", facts["refs"])
    if facts["params"]:
        rows = [
            {**entry, "parameter": entry["name"], "lowest": entry["lo"], "highest": entry["hi"]}
            for entry in facts["params"]
        ]
        Console().print(rows_table(rows, _PARAMETER_COLUMNS))
    _lines("Constraints", facts["constraints"])
    for title, key, sign in (("Where", "let", " ="), ("Signals", "signals", ":"), ("Rules", "rules", ":")):
        _lines(title, [f"{name}{sign} {text}" for name, text in facts[key].items()])
    export = "can be exported to Pine" if facts["exportable"] else "cannot be exported to Pine"
    typer.echo(f"\nSearch space: {facts['lattice']:,} candidates. Warm-up with the defaults: {facts['warmup']} bars.")
    typer.echo(f"Definition {facts['definition_hash']}; {export}.")
    typer.echo(
        f"\nJSON schema of the parameters:\n{orjson.dumps(facts['schema'], option=orjson.OPT_INDENT_2).decode()}"
    )


def _lines(title: str, texts: Sequence[str]) -> None:
    if texts:
        typer.echo("\n".join((f"\n{title}", *(f"  {text}" for text in texts))))
