"""The table inside a flat file: unpacked, its columns checked, its rows of the session kept."""

import gzip
import io
import zlib
from dataclasses import dataclass
from datetime import date

import polars as pl

from chandlery.errors import BadPayload
from chandlery.log import get_logger
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.sources._tickers import is_symbol

_log = get_logger(__name__)

_MAGIC = b"\x1f\x8b"
_COLUMNS: dict[str, type[pl.DataType]] = {
    "ticker": pl.String,
    "volume": pl.Float64,
    "open": pl.Float64,
    "close": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "window_start": pl.Int64,
    "transactions": pl.Float64,
}
_ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class FlatTable:
    """Bars of a file, as `symbol` and `BAR_SCHEMA`, and how many rows were not of its session or not of a symbol."""

    bars: pl.DataFrame
    dropped: int


def read_flat_table(content: bytes, path: str, session: date) -> FlatTable:
    """Return the bars of a session's file, ascending by symbol and `ts`, duplicates kept in the file's order.

    Raises:
        BadPayload: it cannot be unpacked, lacks a column, or has a field of another type.
    """
    frame = _columns_of(_unpacked(content, path), path)
    named = frame.rename({"ticker": "symbol", "transactions": "trade_count"}).with_columns(
        ts=(pl.col("window_start") // 1000).cast(TS),
        vwap=pl.lit(None, dtype=pl.Float64),
        trade_count=pl.col("trade_count").cast(pl.Int64, strict=False),
    )
    kept = named.filter(
        is_symbol(named["symbol"]),
        pl.col("ts").dt.convert_time_zone(_ZONE).dt.date() == session,
    )
    bars = kept.select("symbol", *BAR_SCHEMA).sort("symbol", "ts", maintain_order=True)
    return FlatTable(bars, dropped=frame.height - bars.height)


def _unpacked(content: bytes, path: str) -> bytes:
    # A server that announces gzip as transfer encoding hands over the text itself.
    if not content.startswith(_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadPayload(
            f"Flat file {path} of {len(content)} bytes cannot be unpacked ({error}); nothing was stored."
        ) from error


def _columns_of(text: bytes, path: str) -> pl.DataFrame:
    header = text.split(b"\n", 1)[0].decode("utf-8", errors="replace").strip().split(",")
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise BadPayload(
            f"Flat file {path} was read; of its columns {', '.join(header)[:200]!r} these are missing: "
            f"{', '.join(missing)}. Nothing was stored."
        )
    new = [name for name in header if name not in _COLUMNS]
    if new:
        _log.warning("field_ignored", endpoint="flat files", fields=", ".join(new)[:200])
    schema = {name: _COLUMNS.get(name, pl.String) for name in header}
    try:
        return pl.read_csv(io.BytesIO(text), schema=schema, columns=list(_COLUMNS)).select(*_COLUMNS)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadPayload(
            f"Flat file {path} was read and a row is not as documented ({reason}); nothing was stored."
        ) from error
