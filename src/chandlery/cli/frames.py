"""Frames as CSV, JSON or Parquet, on standard output or in a file."""

import io
import os
import sys
from enum import StrEnum
from pathlib import Path

import polars as pl

from chandlery.errors import ConfigError, InvalidInput


class Form(StrEnum):
    """Output formats."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def write_frame(frame: pl.DataFrame, form: Form, output: Path | None) -> None:
    """Write a frame; times are ISO 8601 in UTC, lists in CSV are joined by blanks.

    Raises:
        InvalidInput: Parquet was to go to a terminal.
        ConfigError: the file cannot be written.
    """
    check_form(form, output)
    content = _encode(frame, form)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        write_file(output, content)


def check_form(form: Form, output: Path | None) -> None:
    """Refuse binary output on a terminal, before any work is done.

    Raises:
        InvalidInput: Parquet was to go to a terminal.
    """
    if form is Form.PARQUET and output is None and sys.stdout.isatty():
        raise InvalidInput("Parquet is binary and standard output is a terminal. Add --output FILE, or pipe it.")


def write_file(output: Path, content: bytes) -> None:
    """Write a file whole or not at all: under a temporary name beside it, then renamed.

    Raises:
        ConfigError: the file cannot be written.
    """
    beside = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        if output.exists() and not output.is_file():
            # A device or pipe, which a rename would replace by a file.
            output.write_bytes(content)
            return
        try:
            beside.write_bytes(content)
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{output} could not be written: {error.strerror}. Name a file you may write.") from error


def _encode(frame: pl.DataFrame, form: Form) -> bytes:
    buffer = io.BytesIO()
    if form is Form.CSV:
        lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
        flat = frame.with_columns(pl.col(name).list.join(" ") for name in lists)
        flat.with_columns(_iso(flat)).write_csv(buffer)
    elif form is Form.JSON:
        return frame.with_columns(_iso(frame)).write_json().encode()
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def _iso(frame: pl.DataFrame) -> list[pl.Expr]:
    """Return every instant as text, to the second where no fraction is lost."""
    names = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    return [
        pl.when(pl.col(name).dt.microsecond() == 0)
        .then(pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        .otherwise(pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
        .alias(name)
        for name in names
    ]
