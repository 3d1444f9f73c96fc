"""The product as its user meets it: `chandlery demo`, then status, candles and the API."""

import io
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from chandlery.cli.demo import prepare
from chandlery.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TIMEFRAMES = ("5m", "15m", "30m", "1h", "4h", "1d", "1w")
Product = Any


_ANOTHER_TAPE = """
insert into ops.instruments (asset_class, calendar) values ('stocks', 'NYSE');
insert into ops.instrument_tickers values ('GONE', '1900-01-01', null, 1, 'replay');
insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from)
overriding system value values (1, 0, 1, 'earlier', '{}', '', now());
insert into raw.massive__bars_1m (instrument_id, ts, open, high, low, close, volume, ingest_id, reason)
values (1, '2013-01-03 15:00+00', 9, 9, 9, 9, 9, 1, 'first');
"""
"""A stock with one bar, as a replayed tape leaves it."""


@pytest.fixture(scope="module")
def shown(product: Product) -> dict[str, Any]:
    """What `status` says after the bundled tape's demo, in a home where another tape was shown before."""
    settings = Settings(_env_file=None, home=Path(product.environment["CHANDLERY_HOME"]))  # type: ignore[call-arg]
    with psycopg.connect(prepare(settings).url("owner")) as connection:
        connection.execute(_ANOTHER_TAPE)
    (settings.home_dir / "demo-origin").write_text("/tapes/another", encoding="utf-8")
    product.run("demo")
    return product.status()


def test_demo_fills_every_stage(shown: dict[str, Any]) -> None:
    assert shown["symbols"] == 6
    # 60 sessions of 390 minutes less three half days of 180 for 5 stocks, and 60 days of 1,440 for the pair.
    assert shown["bars"]["1m"] == 5 * (60 * 390 - 180) + 60 * 1440
    assert shown["bars"]["1d"] > 12_000
    assert set(shown["candles"]) == set(TIMEFRAMES)
    assert all(count > 0 for count in shown["candles"].values())
    assert shown["quality"]["partitions"] > 0
    # Nothing is missing; one real day (AAPL 2010-05-06, the flash crash) and a few thin minutes of the pair cost.
    assert 0.999 < shown["quality"]["mean_score"] < 1.0
    assert shown["held"] == 0
    assert (shown["studies"], shown["risk_reports"]) == (4, 1)
    assert shown["sources"] == ["simulated", "wiki"]


def test_demo_accuses_nothing_but_one_crash_and_thin_minutes_of_the_invented_pair(
    product: Product, shown: dict[str, Any]
) -> None:
    found = json.loads(product.run("findings", "--format", "json"))
    assert len(found) == shown["findings"]
    assert {row["verdict"] for row in found} == {"suspected", "true_move"}
    # Of the real days only the flash crash may be doubted, whose low was traded.
    real = {
        (row["symbol"], row["session"]) for row in found if row["verdict"] == "suspected" and row["timeframe"] == "1d"
    }
    assert real <= {("AAPL", "2010-05-06")}
    minutes = [row for row in found if row["verdict"] == "suspected" and row["timeframe"] == "1m"]
    assert {(row["symbol"], row["rule"]) for row in minutes} <= {("X:SIMUSD", "volume_keeps_its_habit")}


def test_daily_candle_of_simulated_minutes_is_the_real_day(product: Product, shown: dict[str, Any]) -> None:
    assert shown
    rolled = pl.read_csv(io.StringIO(product.run("candles", "AAPL", "1d", "--basis", "minutes")))
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
        assert {item["strategy"] for item in studies} == {"rsi2_connors", "rsi_mid", "rsi_revert", "sma_cross"}
        report = _get(f"{base}/v1/risk/reports", key)["items"][0]
        assert report["as_of"] == "2013-03-01"
        assert _get(f"{base}/v1/quality?symbol=AAPL&timeframe=1m", key)["items"][0]["score"] == 1.0
        with pytest.raises(urllib.error.HTTPError, match="401"):
            _get(f"{base}/v1/symbols", "cdl_nonsense")


def test_bars_of_another_tape_have_made_room(product: Product, shown: dict[str, Any]) -> None:
    assert "earlier" not in shown["sources"]
    assert "GONE" not in product.run("universe", "list", "--format", "json")


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
