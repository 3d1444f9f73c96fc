"""Bar files: bars of one symbol in a CSV or Parquet file, as a panel. Every fault names the line it stands in."""

import csv
import gzip
import io
import zlib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from chandlery.backtest import FIELDS, Panel
from chandlery.errors import InvalidInput
from chandlery.steps.bar_spacing import timeframe_of
from chandlery.steps.bar_times import UnreadableTime, read_times

_TIME_NAMES = ("time", "ts", "t", "timestamp", "datetime", "date", "session")
"""Names the time column may have, the first found counts."""
_GZIP = b"\x1f\x8b"
_DAY_US = 86_400_000_000
_PRICES = FIELDS[:-1]


@dataclass(frozen=True, slots=True)
class BarFile:
    """A panel and what a reader should know about the file."""

    panel: Panel
    notes: tuple[str, ...]


def read_bar_file(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, timezone: str = "UTC"
) -> BarFile:
    """Read the bars of one symbol: `.csv`, `.csv.gz` or `.parquet`.

    A header is needed: time (or ts, t, timestamp, datetime, date, session), open, high, low, close, volume, in any
    order and case; further columns are ignored. Times are ISO 8601 (without zone: UTC), days, or seconds, milli- or
    microseconds since the epoch. `symbol` is by default the name of the file, `timeframe` the spacing of the bars.
    `timezone` is where the parts of a bar's time are read; days without a time are days everywhere.

    Raises:
        InvalidInput: naming line, value and remedy.
    """
    _check_zone(timezone)
    rows = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    times = _times(rows)
    values = np.stack([_numbers(rows, name) for name in FIELDS])
    _check_order(rows, times)
    named = symbol or path.name.removesuffix(".gz").removesuffix(".csv").removesuffix(".parquet")
    notes = [note] if (note := _uncovered(rows, values)) else []
    if timezone != "UTC" and not (times % _DAY_US).any():
        timezone = "UTC"
        notes.append("the times are days without a time of day: their parts are read as they stand, in UTC")
    panel = Panel(named, timeframe or timeframe_of(times), times, values, timezone)
    return BarFile(panel, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The needed columns as text, and what it takes to name a line."""

    path: Path
    columns: dict[str, list[str]]
    content: bytes | None

    def place(self, index: int) -> str:
        """Return where row `index`, counted from 0, stands in the file."""
        if self.content is None:
            return f"{self.path}: row {index + 1}"
        lines = csv.reader(io.StringIO(self.content.decode("utf-8-sig"), newline=""))
        for _ in range(index + 2):
            while _is_blank(next(lines)):
                pass
        return f"{self.path}: line {lines.line_num}"


def _read_csv(path: Path) -> _Rows:
    content = _content(path)
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path} was read as CSV and is none: {error}. Save it as CSV in UTF-8.") from error
    filled = [line for line in lines if not _is_blank(line)]
    if not filled:
        raise InvalidInput(f"{path} is empty; it needs a header time,open,high,low,close,volume and one line a bar.")
    header, body = filled[0], filled[1:]
    where = _columns(path, header)
    rows = _Rows(path, {}, content)
    for index, line in enumerate(body):
        if len(line) != len(header):
            raise InvalidInput(
                f"{rows.place(index)} has {len(line)} fields and the header {len(header)}; write one field a column."
            )
    rows.columns.update({name: [line[at].strip() for line in body] for name, at in where.items()})
    _check_count(path, len(body))
    return rows


def _is_blank(line: list[str]) -> bool:
    return not line or (len(line) == 1 and not line[0].strip())


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == _GZIP else content
    except (OSError, EOFError, zlib.error) as error:
        found = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{path} could not be read: {found}. Name a CSV, CSV.GZ or Parquet file.") from error


def _read_parquet(path: Path) -> _Rows:
    try:
        frame = pl.read_parquet(path)
    except (OSError, PolarsError) as error:
        raise InvalidInput(
            f"{path} could not be read as Parquet: {error}. Name a CSV, CSV.GZ or Parquet file."
        ) from error
    where = _columns(path, frame.columns)
    _check_count(path, frame.height)
    columns = {name: _as_text(frame.to_series(at)) for name, at in where.items()}
    return _Rows(path, columns, None)


def _as_text(column: pl.Series) -> list[str]:
    if isinstance(column.dtype, pl.Datetime):
        aware = column.dt.convert_time_zone("UTC") if column.dtype.time_zone else column
        column = aware.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return column.cast(pl.String).fill_null("").to_list()


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Return the place of every needed column."""
    found: dict[str, int] = {}
    for at, name in enumerate(header):
        word = name.strip().lower()
        if word in found and word in {*_TIME_NAMES, *FIELDS}:
            raise InvalidInput(f"{path} has two columns {word}; rename the one that is not meant.")
        found.setdefault(word, at)
    time = next((name for name in _TIME_NAMES if name in found), None)
    missing = [name for name in FIELDS if name not in found]
    if time is None or missing:
        lacking = ", ".join([*(["time"] if time is None else []), *missing])
        listed = ", ".join(name.strip() for name in header)
        hint = "" if missing != ["volume"] else " Where volume is unknown write 0."
        raise InvalidInput(
            f"{path} lacks the columns {lacking}; its header has {listed}. "
            f"It needs time, open, high, low, close, volume, separated by commas.{hint}"
        )
    return {"time": found[time], **{name: found[name] for name in FIELDS}}


def _check_count(path: Path, count: int) -> None:
    if count < 2:
        raise InvalidInput(f"{path} holds {count} bars; at least 2 are needed.")


def _times(rows: _Rows) -> NDArray[np.int64]:
    try:
        return read_times(rows.columns["time"])
    except UnreadableTime as error:
        raise InvalidInput(
            f"{rows.place(error.index)}: the time was {error.text!r}; {error.reason}. Write ISO 8601 "
            "(2013-02-28, 2013-02-28T14:30:00Z) or seconds, milli- or microseconds since the epoch."
        ) from error


def _numbers(rows: _Rows, name: str) -> NDArray[np.float64]:
    texts = rows.columns[name]
    read = pl.Series(texts, dtype=pl.String).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    sound = np.isfinite(read) & (read > 0.0 if name in _PRICES else read >= 0.0)
    if not sound.all():
        at = int(np.flatnonzero(~sound)[0])
        rule = "a price is a number above 0" if name in _PRICES else "a volume is a number, at least 0"
        others = int((~sound).sum()) - 1
        more = f" ({others:,} more lines)" if others else ""
        raise InvalidInput(
            f"{rows.place(at)}: {name} was {texts[at]!r}; {rule}{more}. Correct the bar or leave it out."
        )
    return np.asarray(read, dtype=np.float64)


def _check_order(rows: _Rows, times: NDArray[np.int64]) -> None:
    steps = np.diff(times)
    if (steps > 0).all():
        return
    at = int(np.flatnonzero(steps <= 0)[0])
    text, before = rows.columns["time"][at + 1], rows.columns["time"][at]
    if steps[at] == 0:
        raise InvalidInput(f"{rows.place(at + 1)}: the time {text} was there before; keep one bar per time.")
    ending = "The file is newest first: turn it round." if (steps < 0).all() else "Sort the file by time."
    raise InvalidInput(f"{rows.place(at + 1)}: the time {text} comes after {before}, which is later. {ending}")


def _uncovered(rows: _Rows, values: NDArray[np.float64]) -> str | None:
    opening, high, low, close, _ = values
    wrong = np.flatnonzero((high < np.maximum(opening, close)) | (low > np.minimum(opening, close)))
    if not wrong.size:
        return None
    place = rows.place(int(wrong[0])).removeprefix(f"{rows.path}: ")
    return (
        f"{wrong.size:,} bars have an open or close outside low and high (first: {place}); "
        "fills at a level are doubtful there"
    )


def _check_zone(timezone: str) -> None:
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(f"The time zone was {timezone!r}; give a name such as America/New_York or UTC.") from error
