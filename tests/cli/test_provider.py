"""`chandlery provider`: its options, and one run in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    (tmp_path / "tape/us_daily").mkdir(parents=True)
    bar = {"symbol": "S", "session": date(2016, 4, 15), "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}
    pl.DataFrame([{**bar, "volume": 1.0}]).write_parquet(tmp_path / "tape/us_daily/s.parquet")
    return tmp_path / "tape"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--plan", "gold"], "--plan was 'gold'; known are advanced, basic, starter."),
        (["--plan", "basic", "--refusal", "shrug"], "--refusal was 'shrug'; known are body, error, message."),
        (["--refusal", "body"], "--refusal was given without --plan"),
        (["--faults", "absent.json"], "absent.json"),
        (["--recorded", "absent"], "Recorded responses were looked for in absent"),
        (["--recorded", ".", "--flat-files"], "--recorded was given with"),
    ],
)
def test_option_that_cannot_be_met_is_exit_2(run: Any, tape: Path, options: list[str], found: str) -> None:
    given = options if "--recorded" in options else ["--tape", str(tape), *options]
    outcome = run("provider", *given)
    assert outcome.code == 2
    assert found in outcome.err


def test_plan_faults_and_flat_files_are_served_together(tape: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = {"faults": [{"fault": "server_error_502", "path": "/v3/reference/splits"}]}
    (tmp_path / "faults.json").write_text(json.dumps(script), encoding="utf-8")
    options = ["--tape", str(tape), "--port", str(port), "--plan", "starter", "--refusal", "error", "--flat-files"]
    command = [sys.executable, "-m", "chandlery", "provider", *options, "--faults", str(tmp_path / "faults.json")]
    child = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)}
    )
    try:
        assert _answers(port, "/v1/marketstatus/now") == 200
        assert [_status(port, "/v3/reference/splits") for _ in range(2)] == [502, 200]
        assert _status(port, "/v2/aggs/ticker/S/range/1/day/2016-04-15/2999-01-01") == 403
        assert _status(port, "/flatfiles/us_stocks_sip/day_aggs_v1/2016/04/2016-04-15.csv.gz") == 200
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) == 0


def _answers(port: int, path: str) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            return _status(port, path)
        except urllib.error.URLError:
            time.sleep(0.1)
    return 0


def _status(port: int, path: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": "Bearer any"})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
