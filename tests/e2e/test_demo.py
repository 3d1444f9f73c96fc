"""The product as its user meets it: `chandlery demo`, then status, candles and the API."""

import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
TAPES = ROOT.parent / "shared" / "data" / "tapes"
MINUTES = {
    "AAPL": "us_minute/AAPL.parquet",
    "MSFT": "us_minute/MSFT.parquet",
    "SPY": "us_minute/SPY_2011-01.parquet",
    "X:BTCUSD": "crypto_minute/X_BTCUSD_bitfinex_2016.parquet",
}
TIMEFRAMES = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": None, "1w": None}


class Product:
    """The command line in a home of its own."""

    def __init__(self, home: Path) -> None:
        # Few trials keep the test short; the count changes no code path (the lattices are larger).
        self.environment = {**os.environ, "CHANDLERY_HOME": str(home), "CHANDLERY_OPTIMIZE__TRIALS": "40"}
        self.environment.pop("POLYGON_API_KEY", None)

    def run(self, *arguments: str, timeout: float = 540) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "chandlery", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self.environment,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json"))
        return found


@pytest.fixture(scope="module")
def product(reachable_dir: Any) -> Iterator[Product]:
    made = Product(reachable_dir())
    yield made
    made.run("down")


@pytest.fixture(scope="module")
def shown(product: Product) -> dict[str, Any]:
    """The bundled tape's demo, and what `status` says after it."""
    product.run("demo")
    return product.status()


@pytest.fixture(scope="module")
def replaced(product: Product, shown: dict[str, Any]) -> dict[str, Any]:
    """The same warehouse after a demo of the real minutes."""
    assert shown
    if not TAPES.is_dir():
        pytest.skip(f"the real tapes are not in {TAPES}")
    product.run("demo", "--tape", str(TAPES))
    return product.status()


def test_demo_fills_every_stage(shown: dict[str, Any]) -> None:
    assert shown["symbols"] == 6
    # 60 sessions of 390 minutes less three half days of 180 for 5 stocks, and 60 days of 1,440 for the pair.
    assert shown["bars"]["1m"] == 5 * (60 * 390 - 180) + 60 * 1440
    assert shown["bars"]["1d"] > 12_000
    assert set(shown["candles"]) == set(TIMEFRAMES)
    assert all(count > 0 for count in shown["candles"].values())
    assert shown["quality"]["partitions"] > 0
    assert shown["quality"]["mean_score"] == pytest.approx(1.0)
    assert (shown["findings"], shown["held"]) == (0, 0)
    assert (shown["studies"], shown["risk_reports"]) == (3, 1)
    assert shown["sources"] == ["simulated", "wiki"]


def test_daily_candle_of_simulated_minutes_is_the_real_day(product: Product, shown: dict[str, Any]) -> None:
    assert shown
    rolled = pl.read_csv(io.StringIO(product.run("candles", "AAPL", "1d")))
    real = pl.read_csv(io.StringIO(product.run("candles", "AAPL", "1d", "--basis", "day", "--start", "2012-12-04")))
    columns = ("session", "open", "high", "low", "close", "volume")
    assert rolled.height == 60
    assert rolled.select(columns).equals(real.select(columns))
    assert set(rolled["source"]) == {"simulated"}
    assert set(real["source"]) == {"wiki"}


def test_api_answers_what_was_published(product: Product, shown: dict[str, Any]) -> None:
    key = product.run("keys", "create", "e2e").strip()
    with RunningApi(product) as base:
        candles = _get(f"{base}/v1/candles?symbol=AAPL&timeframe=1d&limit=1000", key)
        assert candles["count"] == 60
        assert candles["is_simulated"] is True
        assert len(_get(f"{base}/v1/symbols", key)["items"]) == shown["symbols"]
        studies = _get(f"{base}/v1/studies", key)["items"]
        assert {item["strategy"] for item in studies} == {"sma_cross", "rsi_revert", "donchian_breakout"}
        report = _get(f"{base}/v1/risk/reports", key)["items"][0]
        assert report["as_of"] == "2013-03-01"
        assert _get(f"{base}/v1/quality?symbol=AAPL&timeframe=1m", key)["items"][0]["score"] == 1.0
        with pytest.raises(urllib.error.HTTPError, match="401"):
            _get(f"{base}/v1/symbols", "cdl_nonsense")


def test_real_tape_takes_the_place_of_the_bundled_one(replaced: dict[str, Any]) -> None:
    # 8,190 + 8,190 + 14,180 + 50,669 rows of the files, none of the simulated ones left.
    assert replaced["bars"]["1m"] == 81_229
    assert "simulated" not in replaced["sources"]
    assert replaced["symbols"] == 7
    assert replaced["studies"] == 3


@pytest.mark.parametrize("symbol", sorted(MINUTES))
def test_candles_equal_an_independent_computation(product: Product, replaced: dict[str, Any], symbol: str) -> None:
    assert replaced
    minutes = _traded_minutes(symbol)
    for timeframe in TIMEFRAMES:
        got = pl.read_csv(io.StringIO(product.run("candles", symbol, timeframe)), try_parse_dates=True)
        expected = _roll_up(minutes, symbol, timeframe)
        assert got.height == expected.height, (symbol, timeframe)
        for column in ("ts", "open", "high", "low", "close", "volume"):
            same = got[column].cast(expected.schema[column]) == expected[column]
            assert same.all(), (symbol, timeframe, column)


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


class RunningApi:
    """The API as `up` runs it, without Dagster beside it."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._port = _free_port()

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "uvicorn", "chandlery.api.app:create_app", "--factory"]
        self._child = subprocess.Popen(
            [*command, "--port", str(self._port), "--log-level", "error"],
            cwd=ROOT,
            env=self._product.environment,
            stderr=subprocess.DEVNULL,
        )
        base = f"http://127.0.0.1:{self._port}"
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"{base}/livez", timeout=2):
                    return base
            except OSError:
                assert time.monotonic() < deadline, "the API did not answer within 30 s"
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        self._child.wait(timeout=20)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _get(url: str, key: str) -> dict[str, Any]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
