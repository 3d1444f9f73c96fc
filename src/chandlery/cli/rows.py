"""Rows as a table for people, as JSON or as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, object]


class RowForm(StrEnum):
    """Output formats of lists."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def show_rows(rows: Sequence[Row], columns: Sequence[str], form: RowForm) -> None:
    """Print rows; table and CSV have these columns, JSON has all there is."""
    if form is RowForm.JSON:
        show_json(list(rows))
    elif form is RowForm.CSV:
        typer.echo(_csv(rows, columns), nl=False)
    else:
        Console().print(rows_table(rows, columns))


def show_json(content: object) -> None:
    """Print one JSON document; instants are in UTC with a Z."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
    typer.echo(orjson.dumps(_in_utc(content), option=options).decode())


def rows_table(rows: Sequence[Row], columns: Sequence[str], *, title: str | None = None) -> Table:
    """Return rows as a table for people."""
    table = Table(*(name.replace("_", " ") for name in columns), title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(_text(row.get(name))) for name in columns))
    return table


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(row.get(name)) for name in columns] for row in rows)
    return buffer.getvalue()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_text(item)}" for name, item in value.items())
    return str(value)


def _in_utc(content: object) -> object:
    if isinstance(content, datetime):
        return content.astimezone(UTC)
    if isinstance(content, Mapping):
        return {name: _in_utc(item) for name, item in content.items()}
    if isinstance(content, list | tuple):
        return [_in_utc(item) for item in content]
    return content
