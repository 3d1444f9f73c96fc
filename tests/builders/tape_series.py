"""The shared tapes as series to judge."""

import gzip
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.calendar import ZONES, sessions
from chandlery.market.symbols import Instrument, asset_class_of, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
SYMBOLS: Mapping[str, str] = {
    "us_minute/AAPL": "AAPL",
    "us_minute/MSFT": "MSFT",
    "us_minute/SPY_2011-01": "SPY",
    "us_minute/I_SPX_2019-11": "I:SPX",
    "crypto_minute/X_BTCUSD_bitfinex_2016": "X:BTCUSD",
    "us_daily/AAPL": "AAPL",
    "us_daily/BA": "BA",
    "us_daily/GE": "GE",
    "us_daily/EBAY": "EBAY",
    "us_daily/yahoo_AAPL": "AAPL",
    "us_daily/yahoo_SPY": "SPY",
}
"""Every tape and its symbol."""


def read_tape(name: str) -> pl.DataFrame:
    """Return the columns of a tape as published; skips the test where the tapes are not."""
    path = TAPES / f"{name}.parquet"
    if not path.exists():
        pytest.skip("the shared tapes are not on this machine")
    return pl.read_parquet(path)


def tape_view(name: str, **more: object) -> SeriesView:
    """Return a whole tape as a series; every session of it was asked for and is judged."""
    frame = read_tape(name)
    timeframe = Timeframe.M1 if "t" in frame.columns else Timeframe.D1
    if timeframe is Timeframe.M1:
        stamps = pl.from_epoch("t", time_unit="ms").dt.replace_time_zone("UTC")
    else:
        midnight = pl.col("session").cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York")
        stamps = midnight.dt.convert_time_zone("UTC")
    return view_of(SYMBOLS[name], timeframe, frame.with_columns(ts=stamps.cast(TS)), **more)


def raw_google_view(symbol: str) -> SeriesView:
    """Return the minutes of a Google file, which label a minute by its end, as published."""
    path = TAPES / "us_minute" / "raw" / f"{symbol}_google_getprices_2016-04-15_2016-05-13.csv.gz"
    if not path.exists():
        pytest.skip("the shared tapes are not on this machine")
    rows, base = [], 0
    for line in _lines(path):
        stamp, _, rest = line.strip().partition(",")
        if stamp[:1] != "a" and not stamp.isdigit():
            continue
        base = int(stamp[1:]) if stamp[0] == "a" else base
        minutes = 0 if stamp[0] == "a" else int(stamp)
        close, high, low, open_, volume = (float(text) for text in rest.split(","))
        ts = datetime.fromtimestamp(base, UTC) + timedelta(minutes=minutes)
        rows.append((ts, open_, high, low, close, volume))
    return view_of(symbol, Timeframe.M1, _frame(rows))


def raw_ninjatrader_view() -> SeriesView:
    """Return the minutes of the NinjaTrader file, labelled by their end, extended hours included, as published."""
    path = TAPES / "us_minute" / "raw" / "SPY_ninjatrader_2011-01.csv.gz"
    if not path.exists():
        pytest.skip("the shared tapes are not on this machine")
    rows = []
    for line in _lines(path):
        stamp, *values = line.strip().split(";")
        ts = datetime.strptime(stamp, "%Y%m%d %H%M%S").replace(tzinfo=UTC)
        rows.append((ts, *(float(text) for text in values)))
    return view_of("SPY", Timeframe.M1, _frame(rows))


def view_of(symbol: str, timeframe: Timeframe, frame: pl.DataFrame, **more: object) -> SeriesView:
    """Return bars (`ts`, prices, volume, in any order) as a series that is judged as a whole."""
    asset_class = asset_class_of(symbol)
    calendar = calendar_of(asset_class)
    bars = (
        frame.select("ts", "open", "high", "low", "close", "volume", vwap=pl.lit(None), trade_count=pl.lit(None))
        .cast(dict(BAR_SCHEMA))  # type: ignore[arg-type]
        .sort("ts")
    )
    days = bars["ts"].dt.convert_time_zone(ZONES[calendar]).dt.date()
    start, end = days[0], days[-1] + timedelta(days=1)
    table = _sessions(calendar, start, end)
    known: dict[str, object] = {"listed_on": start, "asked": table["session"], "sessions": table}
    return SeriesView(
        instrument=Instrument(1, symbol, asset_class, calendar),
        timeframe=timeframe,
        start=start,
        end=end,
        bars=bars,
        **{**known, **more},  # type: ignore[arg-type]
    )


def found_on(hits: pl.DataFrame) -> list[date]:
    """Return the sessions of hits."""
    return hits["session"].to_list()


@cache
def _sessions(calendar: str, start: date, end: date) -> pl.DataFrame:
    return sessions(calendar, start, end)  # 50 years of New York take a second


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def _frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: BAR_SCHEMA[name] for name in list(BAR_SCHEMA)[:6]}, orient="row")
