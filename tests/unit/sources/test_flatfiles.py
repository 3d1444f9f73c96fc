"""Flat files from a folder and over HTTP: layout, ETags, and files that are not as documented."""

import gzip
import hashlib
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import httpx
import polars as pl
import pytest

from chandlery.errors import BadPayload, ConfigError, InvalidInput, NotFound, Unavailable
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.sources import FlatFiles, OpenGate
from chandlery.sources.flatfiles import flat_path

MINUTES = "us_stocks_sip/minute_aggs_v1/2024/01/2024-01-02.csv.gz"
HEADER = "ticker,volume,open,close,high,low,window_start,transactions\n"
AAPL = "AAPL,5137,187.11,187.2,187.25,187.1,1704186000000000000,88\n"
"""2024-01-02 04:00 New York = 09:00Z, in nanoseconds."""
BA = "BA,100.5,250.0,251.0,252.0,249.0,1704206100000000000,3\n"


def _packed(*rows: str, header: str = HEADER) -> bytes:
    return gzip.compress((header + "".join(rows)).encode(), mtime=0)


@pytest.fixture
def folder(tmp_path: Path) -> FlatFiles:
    return FlatFiles(str(tmp_path), gate=OpenGate())


def _keep(tmp_path: Path, content: bytes, path: str = MINUTES) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(content)


def test_layout_is_the_vendors() -> None:
    assert flat_path(Timeframe.M1, date(2024, 1, 2)) == MINUTES
    assert flat_path(Timeframe.D1, date(2003, 9, 10)) == "us_stocks_sip/day_aggs_v1/2003/09/2003-09-10.csv.gz"
    with pytest.raises(InvalidInput):
        flat_path(Timeframe.H1, date(2024, 1, 2))


def test_file_of_a_folder_is_read_with_its_digest(folder: FlatFiles, tmp_path: Path) -> None:
    content = _packed(BA, AAPL)
    _keep(tmp_path, content)
    found = folder.fetch(MINUTES)
    assert found is not None
    assert found.bars.schema == pl.Schema({"symbol": pl.String, **BAR_SCHEMA})
    assert found.bars.rows() == [
        ("AAPL", datetime(2024, 1, 2, 9, tzinfo=UTC), 187.11, 187.25, 187.1, 187.2, 5137.0, None, 88),
        ("BA", datetime(2024, 1, 2, 14, 35, tzinfo=UTC), 250.0, 252.0, 249.0, 251.0, 100.5, None, 3),
    ]
    assert found.etag == "sha256:" + hashlib.sha256(content).hexdigest()
    assert (found.size, found.timeframe, found.session) == (len(content), Timeframe.M1, date(2024, 1, 2))


def test_file_is_unchanged_until_it_is_replaced(folder: FlatFiles, tmp_path: Path) -> None:
    _keep(tmp_path, _packed(AAPL))
    first = folder.fetch(MINUTES)
    assert first is not None
    assert folder.fetch(MINUTES, first.etag) is None
    _keep(tmp_path, _packed(AAPL, BA))
    second = folder.fetch(MINUTES, first.etag)
    assert second is not None
    assert (second.etag != first.etag, second.bars.height) == (True, 2)


def test_duplicates_stay_for_the_audit_in_the_files_order(folder: FlatFiles, tmp_path: Path) -> None:
    other = AAPL.replace("187.2,", "187.9,")
    _keep(tmp_path, _packed(other, BA, AAPL, AAPL))
    found = folder.fetch(MINUTES)
    assert found is not None
    assert found.bars["symbol"].to_list() == ["AAPL", "AAPL", "AAPL", "BA"]
    assert found.bars["close"].to_list() == [187.9, 187.2, 187.2, 251.0]


def test_rows_of_another_session_or_of_no_symbol_are_dropped_and_counted(folder: FlatFiles, tmp_path: Path) -> None:
    day_before = AAPL.replace("1704186000000000000", "1704171599000000000")
    _keep(tmp_path, _packed(AAPL, day_before, AAPL.replace("AAPL", "BACpB"), AAPL.replace("AAPL", "")))
    found = folder.fetch(MINUTES)
    assert found is not None
    assert (found.bars.height, found.dropped) == (1, 3)


def test_day_file_lies_at_midnight_new_york(folder: FlatFiles, tmp_path: Path) -> None:
    path = flat_path(Timeframe.D1, date(2024, 7, 1))
    _keep(tmp_path, _packed("AAPL,1e6,1,2,3,0.5,1719806400000000000,5\n"), path)
    found = folder.fetch(path)
    assert found is not None
    assert found.bars["ts"].to_list() == [datetime(2024, 7, 1, 4, tzinfo=UTC)]


def test_absent_values_and_strange_ones_pass_to_the_audit(folder: FlatFiles, tmp_path: Path) -> None:
    _keep(tmp_path, _packed("AAPL,,NaN,inf,1e308,-1,1704186000000000000,\n"))
    found = folder.fetch(MINUTES)
    assert found is not None
    opened, close, high, low = found.bars.select("open", "close", "high", "low").row(0)
    assert (math.isnan(opened), close, high, low) == (True, float("inf"), 1e308, -1.0)
    assert found.bars.select("volume", "trade_count").row(0) == (None, None)


def test_new_column_is_ignored_and_any_order_is_read(folder: FlatFiles, tmp_path: Path) -> None:
    header = "window_start,ticker,otc,volume,open,close,high,low,transactions\n"
    _keep(tmp_path, _packed("1704186000000000000,AAPL,true,1,2,3,4,1,9\n", header=header))
    found = folder.fetch(MINUTES)
    assert found is not None
    assert found.bars.select("symbol", "open", "close", "trade_count").row(0) == ("AAPL", 2.0, 3.0, 9)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (_packed(AAPL, BA)[:-9], "cannot be unpacked"),
        (_packed(AAPL, BA)[:40], "cannot be unpacked"),
        (b"\x1f\x8bgarbage of some length", "cannot be unpacked"),
        (_packed(AAPL, header=HEADER.replace("volume,", "")), "missing: volume"),
        (_packed(AAPL, header=""), "missing"),
        (b"", "missing"),
        (b"<html>log in</html>", "missing"),
        (_packed("AAPL,many,1,1,1,1,1704186000000000000,1\n"), "not as documented"),
        (_packed("AAPL,1,1,1,1,1,2024-01-02,1\n"), "not as documented"),
        (_packed("AAPL,1,1,1,1,1,1704186000000000000,1,9,9\n"), "not as documented"),
    ],
)
def test_file_that_is_not_as_documented_is_a_bad_payload(
    folder: FlatFiles, tmp_path: Path, content: bytes, found: str
) -> None:
    _keep(tmp_path, content)
    with pytest.raises(BadPayload, match=found):
        folder.fetch(MINUTES)


def test_file_that_is_not_there_is_not_found(folder: FlatFiles) -> None:
    with pytest.raises(NotFound, match="11:00 New York"):
        folder.fetch(MINUTES)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "us_stocks_sip/minute_aggs_v1/2024/01/2024-01-02.csv",
        "us_stocks_sip/minute_aggs_v1/2024/02/2024-01-02.csv.gz",
        "us_stocks_sip/trades_v1/2024/01/2024-01-02.csv.gz",
        "../us_stocks_sip/minute_aggs_v1/2024/01/2024-01-02.csv.gz",
    ],
)
def test_path_that_is_none_of_the_vendors_is_refused(folder: FlatFiles, path: str) -> None:
    with pytest.raises(InvalidInput, match="a path looks like"):
        folder.fetch(path)


class _Counting(OpenGate):
    def __init__(self) -> None:
        self.entered = 0

    def enter(self) -> float:
        self.entered += 1
        return 0.0


def _mirror(answer: Callable[[httpx.Request], httpx.Response], gate: OpenGate | None = None) -> FlatFiles:
    return FlatFiles(
        "https://mirror.example/flatfiles",
        gate=gate or OpenGate(),
        retries=1,
        transport=httpx.MockTransport(answer),
        sleep=lambda _: None,
        random=Random(1),
    )


def test_mirror_is_asked_conditionally_through_the_gate_and_without_a_key() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.headers.get("If-None-Match") == '"v1"':
            return httpx.Response(304, headers={"etag": '"v1"'})
        return httpx.Response(200, content=_packed(AAPL), headers={"etag": '"v1"', "content-type": "application/gzip"})

    gate = _Counting()
    files = _mirror(answer, gate)
    found = files.fetch(MINUTES)
    assert found is not None
    assert (found.etag, found.bars.height, found.size) == ('"v1"', 1, len(_packed(AAPL)))
    assert files.fetch(MINUTES, found.etag) is None
    assert gate.entered == len(requests) == 2
    assert requests[0].url == f"https://mirror.example/flatfiles/{MINUTES}"
    assert "Authorization" not in requests[0].headers


def test_mirror_that_ignores_the_condition_and_has_no_etag_is_compared_by_digest() -> None:
    files = _mirror(lambda _: httpx.Response(200, content=_packed(AAPL)))
    found = files.fetch(MINUTES)
    assert found is not None
    assert found.etag.startswith("sha256:")
    assert files.fetch(MINUTES, found.etag) is None


def test_server_that_unpacks_by_itself_gives_the_same_bars() -> None:
    headers = {"content-encoding": "gzip"}
    files = _mirror(lambda _: httpx.Response(200, stream=httpx.ByteStream(_packed(AAPL, BA)), headers=headers))
    found = files.fetch(MINUTES)
    assert found is not None
    assert found.bars.height == 2


def test_outage_of_the_mirror_is_retried_and_then_unavailable() -> None:
    gate = _Counting()
    with pytest.raises(Unavailable, match="2 times"):
        _mirror(lambda _: httpx.Response(503), gate).fetch(MINUTES)
    assert gate.entered == 2


def test_mirror_without_the_file_is_not_found() -> None:
    with pytest.raises(NotFound):
        _mirror(lambda _: httpx.Response(404)).fetch(MINUTES)


def test_malformed_base_url_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        FlatFiles("http://user:secret@host", gate=OpenGate())
