"""`chandlery candles SYMBOL TIMEFRAME`."""

import io
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import polars as pl
import typer

from chandlery.errors import ConfigError, InvalidInput
from chandlery.settings import load_settings
from chandlery.steps.candles import CandleQuestion, find_candles
from chandlery.store.warehouse import open_warehouse


class Form(StrEnum):
    """Output formats."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class BasisChoice(StrEnum):
    """What a series is built from."""

    MINUTES = "minutes"
    DAY = "day"


def candles(
    symbol: str = typer.Argument(help="Symbol, for example AAPL or X:BTCUSD."),
    timeframe: str = typer.Argument(help="5m 15m 30m 1h 4h 1d 1w."),
    *,
    start: str | None = typer.Option(None, help="First instant, ISO date or time; no zone means UTC."),
    end: str | None = typer.Option(None, help="End, exclusive."),
    basis: BasisChoice = typer.Option(
        BasisChoice.MINUTES,
        help="minutes: rolled up from minute bars of the regular session. day: the source's own day bars, "
        "as published and unadjusted (1d only).",
    ),
    form: Form = typer.Option(Form.CSV, "--format", help="Output format; parquet needs --output."),
    output: Path | None = typer.Option(None, "--output", "-o", help="File to write instead of standard output."),
) -> None:
    """Print the published candles of one symbol and timeframe."""
    if form is Form.PARQUET and output is None and sys.stdout.isatty():
        raise InvalidInput("Parquet is binary and standard output is a terminal. Add --output FILE, or pipe it.")
    question = CandleQuestion(symbol, timeframe, basis.value, _instant(start, "--start"), _instant(end, "--end"))
    frame = find_candles(open_warehouse(load_settings()), question)
    content = _encode(frame, form)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        _write(output, content)


def _write(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{output} could not be written: {error.strerror}. Name a file you may write.") from error


def _encode(frame: pl.DataFrame, form: Form) -> bytes:
    buffer = io.BytesIO()
    if form is Form.CSV:
        frame.write_csv(buffer, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    elif form is Form.JSON:
        return frame.with_columns(pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_json().encode()
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def _instant(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{option} was {text!r}; give an ISO date or time, for example 2013-02-28.") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
