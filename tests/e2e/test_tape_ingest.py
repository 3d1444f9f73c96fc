"""A tape brought in by one command: candles, adjustment and history against what the files themselves say."""

import io
import json
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chandlery.settings import Settings
from chandlery.steps.candle_reads import Variant
from chandlery.steps.candles import CandleQuestion, find_candles
from chandlery.store.warehouse import open_warehouse

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
MINUTES = {
    "AAPL": "us_minute/AAPL.parquet",
    "MSFT": "us_minute/MSFT.parquet",
    "SPY": "us_minute/SPY_2011-01.parquet",
    "X:BTCUSD": "crypto_minute/X_BTCUSD_bitfinex_2016.parquet",
}
TIMEFRAMES = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": None, "1w": None}
Product = Any


@pytest.fixture(scope="module")
def ingested(product: Product) -> dict[str, Any]:
    """What the command says of the real tapes."""
    if not TAPES.is_dir():
        pytest.skip(f"the real tapes are not in {TAPES}")
    facts: dict[str, Any] = json.loads(product.run("tape", "ingest", str(TAPES), "--json"))
    return facts


def find(product: Product, symbol: str, timeframe: str, **question: Any) -> pl.DataFrame:
    """Ask the library, whose answer the command prints: no process for every series."""
    settings = Settings(_env_file=None, home=Path(product.environment["CHANDLERY_HOME"]))  # type: ignore[call-arg]
    return find_candles(open_warehouse(settings), CandleQuestion(symbol, timeframe, **question))


def candles(product: Product, *arguments: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(product.run("candles", *arguments)), try_parse_dates=True, infer_schema_length=None)


def test_every_row_of_the_files_is_in_or_held(ingested: dict[str, Any]) -> None:
    # 8,190 + 8,190 + 14,180 + 50,669 minutes; 8,336 + 13,090 + 13,090 + 3,842 days of WIKI and 2,519 of Yahoo.
    assert ingested["bars"]["1m"]["rows_seen"] == 81_229
    assert ingested["bars"]["1d"]["rows_seen"] == 40_877
    # WIKI's BA 1962-01-23 and Yahoo's SPY 2015-03-05 and 03-30 have prices outside high and low (the data's guide).
    assert ingested["bars"]["1d"]["rows_held"] == 3
    # 21 splits and 452 dividends of the guide, and the ticker each of six stocks began with.
    assert ingested["actions"] == {"accepted": 21 + 452 + 6, "suspected": 0}


@pytest.mark.parametrize("symbol", sorted(MINUTES))
def test_candles_equal_an_independent_computation(product: Product, ingested: dict[str, Any], symbol: str) -> None:
    assert ingested
    minutes = _traded_minutes(symbol)
    for timeframe in TIMEFRAMES:
        got = find(product, symbol, timeframe, basis="minutes")
        expected = _roll_up(minutes, symbol, timeframe)
        assert got.height == expected.height, (symbol, timeframe)
        for column in ("ts", "open", "high", "low", "close"):
            same = got[column].cast(expected.schema[column]) == expected[column]
            assert same.all(), (symbol, timeframe, column)
        # Whole shares add up exactly in any order, fractions of a coin to the last bits.
        limit = 1e-12 if symbol.startswith("X:") else 0.0
        assert (got["volume"] / expected["volume"] - 1).abs().max() <= limit, (symbol, timeframe)


@pytest.mark.parametrize("symbol", ["AAPL", "BA", "EBAY", "GE"])
def test_adjusted_days_equal_the_publishers_columns(product: Product, ingested: dict[str, Any], symbol: str) -> None:
    assert ingested
    theirs = pl.read_parquet(TAPES / "us_daily" / f"{symbol}.parquet").sort("session")
    ours = candles(product, symbol, "1d", "--adjusted", "all").filter(pl.col("basis") == "day")
    both = theirs.join(ours, on="session", suffix="_ours")
    assert theirs.height - both.height <= 1  # what the audit holds is not shown
    # The file's last row is adjusted for dividends paid after it, which the file does not list.
    unknown = theirs["adj_close"][-1] / theirs["close"][-1]
    for column in ("open", "high", "low", "close"):
        error = np.abs(both[f"{column}_ours"].to_numpy() * unknown / both[f"adj_{column}"].to_numpy() - 1).max()
        assert error < 1e-12, column
    assert (both["volume_ours"] == both["adj_volume"]).all()


def test_extended_hours_and_clock_alignment_are_series_of_their_own(product: Product, ingested: dict[str, Any]) -> None:
    assert ingested
    day = ("--start", "2011-01-03", "--end", "2011-01-04T03:00")
    regular = candles(product, "SPY", "1h", *day)
    clock = candles(product, "SPY", "1h", "--alignment", "clock", *day)
    extended = candles(product, "SPY", "1d", "--session", "extended", *day)
    assert [ts.strftime("%H:%M") for ts in regular["ts"]] == [f"{hour}:30" for hour in range(14, 21)]
    assert [ts.strftime("%H:%M") for ts in clock["ts"]] == [f"{hour}:00" for hour in range(14, 21)]
    assert clock["expected_count"].to_list() == [30, 60, 60, 60, 60, 60, 60]
    file = pl.read_parquet(TAPES / MINUTES["SPY"])
    local = pl.from_epoch("t", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    whole = file.filter(local.dt.date() == date(2011, 1, 3))
    assert extended["volume"].item() == whole["volume"].sum()
    assert extended["high"].item() == whole["high"].max()


def test_repeating_it_writes_nothing(product: Product, ingested: dict[str, Any]) -> None:
    assert ingested
    again = json.loads(product.run("tape", "ingest", str(TAPES), "--json"))
    for name in ("1m", "1d"):
        assert [again["bars"][name][f"rows_{what}"] for what in ("new", "revised", "withdrawn")] == [0, 0, 0]


def small_tape(folder: Path, closes: dict[int, float]) -> Path:
    """Write minutes of one stock on 2024-01-08, by the minute after the opening."""
    opening = round(datetime(2024, 1, 8, 14, 30, tzinfo=UTC).timestamp() * 1000)
    rows = [
        {"symbol": "REVD", "t": opening + minute * 60_000, "open": close, "high": close, "low": close, "close": close}
        for minute, close in sorted(closes.items())
    ]
    (folder / "us_minute").mkdir(parents=True)
    pl.DataFrame(rows).with_columns(volume=pl.lit(100.0)).write_parquet(folder / "us_minute" / "REVD.parquet")
    return folder


def test_what_was_known_before_a_revision_is_answered_bit_for_bit(
    product: Product, ingested: dict[str, Any], tmp_path: Path
) -> None:
    assert ingested
    first = {minute: 100.0 + minute / 8 for minute in range(390)}
    product.run("tape", "ingest", str(small_tape(tmp_path / "first", first)))
    then = datetime.now(UTC).isoformat()
    known = Variant(as_of=datetime.fromisoformat(then))
    before = {name: find(product, "REVD", name, variant=known) for name in TIMEFRAMES}
    printed = product.run("candles", "REVD", "5m", "--as-of", then)
    plain = candles(product, "REVD", "5m")
    second = {minute: close for minute, close in first.items() if minute != 7} | {3: 555.5}
    product.run("tape", "ingest", str(small_tape(tmp_path / "second", second)))
    for name, frame in before.items():
        assert_frame_equal(find(product, "REVD", name, variant=known), frame, check_exact=True)
    assert product.run("candles", "REVD", "5m", "--as-of", then) == printed
    earlier = candles(product, "REVD", "5m", "--as-of", then)
    figures = ["ts", "open", "high", "low", "close", "volume", "bar_count"]
    assert earlier.select(figures).equals(plain.select(figures))
    after = candles(product, "REVD", "5m")
    assert after["high"][0] == 555.5
    assert after["bar_count"].to_list()[:2] == [5, 4]
    changes = pl.read_csv(io.StringIO(product.run("revisions", "REVD", "--from", then)))
    assert changes.select("change", "close_before", "close_after").rows() == [
        ("revised", 100.375, 555.5),
        ("withdrawn", 100.875, None),
    ]
    versions = json.loads(product.run("versions", "REVD", "2024-01-08T14:33", "--format", "json"))
    assert [(row["close"], row["reason"], row["known_to"] is None) for row in versions] == [
        (100.375, "first", False),
        (555.5, "vendor_correction", True),
    ]


def _traded_minutes(symbol: str) -> pl.DataFrame:
    """Minutes of the file in the regular session, fillers (no volume, one price) left out, by exchange clock."""
    zone = "UTC" if symbol.startswith("X:") else "America/New_York"
    frame = pl.read_parquet(TAPES / MINUTES[symbol]).sort("t")
    one_price = (pl.col("open") == pl.col("high")) & (pl.col("low") == pl.col("close"))
    filler = (pl.col("volume") == 0) & one_price & (pl.col("high") == pl.col("low"))
    local = pl.from_epoch("t", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute()
    frame = frame.filter(~filler).with_columns(minute=minute, day=local.dt.date())
    if zone == "UTC":
        return frame
    return frame.filter(pl.col("minute").is_between(570, 960, closed="left"))


def _roll_up(minutes: pl.DataFrame, symbol: str, timeframe: str) -> pl.DataFrame:
    crypto = symbol.startswith("X:")
    length = TIMEFRAMES[timeframe]
    if length is not None:
        opening = 0 if crypto else 570
        millis = pl.col("t") - (pl.col("minute") - opening) % length * 60_000
        bucket = pl.from_epoch(millis, "ms").dt.replace_time_zone("UTC")
    else:
        monday = pl.col("day") - pl.duration(days=pl.col("day").dt.weekday() - 1)
        day = pl.col("day") if timeframe == "1d" else monday
        local = day.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC" if crypto else "America/New_York")
        bucket = local.dt.convert_time_zone("UTC")
    rows = minutes.with_columns(ts=bucket.cast(pl.Datetime("us", "UTC"))).group_by("ts", maintain_order=True)
    ohlc = rows.agg(
        pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("volume")
    )
    # Added one by one in time order: float sums depend on it, and polars adds in another.
    total = pl.Series("volume", [reduce(float.__add__, volumes, 0.0) for volumes in ohlc["volume"].to_list()])
    return ohlc.with_columns(total).sort("ts")
