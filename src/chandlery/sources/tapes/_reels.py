"""Reels: the Parquet files of a tape, one summary per symbol, read without loading the bars."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl
from polars.exceptions import PolarsError

from chandlery.errors import BadTape
from chandlery.market.symbols import SYMBOL_PATTERN, AssetClass, asset_class_of
from chandlery.market.timeframes import Timeframe
from chandlery.sources.sessions import zone_of

FOLDERS = {
    "us_minute": Timeframe.M1,
    "crypto_minute": Timeframe.M1,
    "us_daily": Timeframe.D1,
    "crypto_daily": Timeframe.D1,
}
_KEY = {Timeframe.M1: "t", Timeframe.D1: "session"}
_PRICES = ("open", "high", "low", "close", "volume")
_ACTIONS = ("split_ratio", "ex_dividend")
_WIKI_COLUMNS = set(_ACTIONS)
_YAHOO_PREFIX = "yahoo_"
_LAYOUT = "us_minute/*.parquet, crypto_minute/*.parquet, us_daily/*.parquet, crypto_daily/*.parquet"


@dataclass(frozen=True, slots=True)
class Reel:
    """One symbol's rows in one file."""

    path: Path
    symbol: str
    timeframe: Timeframe
    first_session: date
    last_session: date
    source: str
    columns: frozenset[str]
    is_split_adjusted: bool
    """Prices on the share basis of the download date, so second choice behind raw ones."""


def find_reels(folder: Path) -> tuple[Reel, ...]:
    """Return the reels of a tape folder, ascending by path and symbol.

    Raises:
        BadTape: if the folder is missing or holds no Parquet file in a known place, or a file lacks columns,
            has rows without symbol or time, or symbols that do not fit its folder.
    """
    if not folder.is_dir():
        raise BadTape(f"A tape was looked for in {folder}; that is no folder. Give a folder with {_LAYOUT}.")
    files = [
        (path, timeframe) for name, timeframe in FOLDERS.items() for path in sorted((folder / name).glob("*.parquet"))
    ]
    if not files:
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())[:8]) or "nothing"
        raise BadTape(f"Bars were looked for in {folder}, which holds {found}; a tape has {_LAYOUT}.")
    return tuple(reel for path, timeframe in files for reel in _reels_of(path, timeframe))


def _reels_of(path: Path, timeframe: Timeframe) -> list[Reel]:
    key = _KEY[timeframe]
    try:
        scan = pl.scan_parquet(path)
        schema = scan.collect_schema()
        _check_columns(path, timeframe, schema)
        columns = frozenset(schema.names())
        spans = scan.group_by("symbol").agg(*_span(key), *_published_by(columns)).sort("symbol").collect()
    except PolarsError as error:
        raise BadTape(f"{path} was read as {timeframe} bars; {error}. Write the file again.") from error
    return [_reel(path, timeframe, columns, row) for row in spans.iter_rows(named=True)]


def _check_columns(path: Path, timeframe: Timeframe, schema: pl.Schema) -> None:
    key = _KEY[timeframe]
    missing = [name for name in ("symbol", key, *_PRICES) if name not in schema]
    if missing:
        raise BadTape(
            f"{path} was read as {timeframe} bars; columns {', '.join(missing)} are missing, found "
            f"{', '.join(schema.names())}. Rename or add them."
        )
    fitting = schema[key].is_integer() if timeframe is Timeframe.M1 else schema[key] == pl.Date
    if not fitting:
        wanted = "whole milliseconds since the epoch (Int64)" if timeframe is Timeframe.M1 else "a Date"
        raise BadTape(f"{path} was read as {timeframe} bars; {key} is {schema[key]}. Write it as {wanted}.")
    numbers = (*_PRICES, *(name for name in _ACTIONS if name in schema))
    texts = [name for name in numbers if not schema[name].is_numeric()]
    if texts:
        raise BadTape(f"{path} was read as {timeframe} bars; {', '.join(texts)} are no numbers. Write them as Float64.")


def _span(key: str) -> tuple[pl.Expr, ...]:
    return (
        pl.col(key).min().alias("first"),
        pl.col(key).max().alias("last"),
        pl.col(key).null_count().alias("without_time"),
    )


def _published_by(columns: frozenset[str]) -> tuple[pl.Expr, ...]:
    return (pl.col("source").drop_nulls().unique().sort().alias("publishers"),) if "source" in columns else ()


def _reel(path: Path, timeframe: Timeframe, columns: frozenset[str], row: dict[str, object]) -> Reel:
    symbol = row["symbol"]
    if not isinstance(symbol, str) or not SYMBOL_PATTERN.fullmatch(symbol):
        raise BadTape(f"{path} has rows of symbol {symbol!r}; write it as the vendor does (AAPL, X:BTCUSD, I:SPX).")
    is_crypto_folder = path.parent.name.startswith("crypto_")
    if is_crypto_folder != (asset_class_of(symbol) is AssetClass.CRYPTO):
        raise BadTape(f"{path} has rows of {symbol}; crypto pairs (X:...) belong in crypto_*, all others in us_*.")
    if row["without_time"]:
        raise BadTape(f"{path} has {row['without_time']} rows of {symbol} without {_KEY[timeframe]}; remove them.")
    first, last = (_session(symbol, row[name]) for name in ("first", "last"))
    publishers = row.get("publishers")
    return Reel(
        path=path,
        symbol=symbol,
        timeframe=timeframe,
        first_session=first,
        last_session=last,
        source="+".join(publishers) if isinstance(publishers, list) and publishers else _guessed_source(path, columns),
        columns=columns,
        is_split_adjusted=timeframe is Timeframe.D1 and path.name.startswith(_YAHOO_PREFIX),
    )


def _session(symbol: str, value: object) -> date:
    if isinstance(value, int):
        stamp = pl.Series([value]).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
        value = stamp.dt.convert_time_zone(zone_of(symbol)).dt.date()[0]
    return cast("date", value)


def _guessed_source(path: Path, columns: frozenset[str]) -> str:
    if columns >= _WIKI_COLUMNS:
        return "wiki"
    return "yahoo" if path.name.startswith(_YAHOO_PREFIX) else "tape"
