"""`chandlery candles`: formats, ranges, refusals."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Variables = dict[str, object]

_SERVED = """
create table serving.candles_v1 (symbol text, timeframe text, basis text, ts timestamptz, session date, open float8,
    high float8, low float8, close float8, volume float8, vwap float8, trade_count int8, bar_count int4,
    expected_count int4, is_final bool, quality_score float8, source text, primary key (symbol, timeframe, basis, ts));
insert into serving.candles_v1
select 'AAPL', '1h', 'minutes', '2024-01-02 14:00+0'::timestamptz + i * interval '1 hour', '2024-01-02', 100 + i,
    101 + i, 99 + i, 100.5 + i, 1000, null, 7, 60, 60, true, 0.9, 'simulated'
from generate_series(0, 5) as i;
"""
_UNIVERSE = """
insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value values (1, 'stocks', 'NYSE');
insert into ops.instrument_tickers values ('AAPL', '1900-01-01', null, 1, 'tape');
"""


@pytest.fixture(scope="module")
def here(warehouse: Any, tell: Any, server_of: Callable[[Any], Variables]) -> Variables:
    tell(warehouse, _UNIVERSE)
    tell(warehouse, _SERVED, role="pipeline")
    return server_of(warehouse)


def test_csv_is_the_default_with_times_in_utc(run: Any, here: Variables) -> None:
    outcome = run("candles", "AAPL", "1h", **here)
    assert (outcome.code, outcome.err) == (0, "")
    header, first, *rest = outcome.out.splitlines()
    assert header.split(",")[:9] == ["symbol", "timeframe", "basis", "ts", "session", "open", "high", "low", "close"]
    assert (
        first
        == "AAPL,1h,minutes,2024-01-02T14:00:00Z,2024-01-02,100.0,101.0,99.0,100.5,1000.0,,7,60,60,true,0.9,simulated"
    )
    assert len(rest) == 5


def test_json_is_a_list_of_objects(run: Any, here: Variables) -> None:
    rows = json.loads(run("candles", "AAPL", "1h", "--format", "json", **here).out)
    assert len(rows) == 6
    assert {name: rows[0][name] for name in ("ts", "session", "close", "vwap", "trade_count", "is_final")} == {
        "ts": "2024-01-02T14:00:00Z",
        "session": "2024-01-02",
        "close": 100.5,
        "vwap": None,
        "trade_count": 7,
        "is_final": True,
    }


def test_parquet_file_holds_the_same_rows_with_their_types(run: Any, here: Variables, tmp_path: Path) -> None:
    file = tmp_path / "candles.parquet"
    outcome = run("candles", "AAPL", "1h", "--format", "parquet", "-o", str(file), **here)
    assert (outcome.code, outcome.out) == (0, "")
    frame = pl.read_parquet(file)
    assert frame.schema["ts"] == pl.Datetime("us", "UTC")
    text = run("candles", "AAPL", "1h", **here).out
    assert frame["close"].to_list() == pl.read_csv(io.StringIO(text))["close"].to_list()


def test_range_is_half_open_and_means_utc(run: Any, here: Variables) -> None:
    outcome = run(
        "candles",
        "aapl",
        "1h",
        "--start",
        "2024-01-02T15:00",
        "--end",
        "2024-01-02T12:00-05:00",
        "--format",
        "json",
        **here,
    )
    assert [row["ts"][11:16] for row in json.loads(outcome.out)] == ["15:00", "16:00"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["TSLA", "1h"], 3, "TSLA is not tracked"),
        (["AAPL", "1d"], 3, "has no candles"),
        (["AAPL", "1h", "--start", "2025-01-01"], 3, "6 lie outside that range"),
        (["AAPL", "2h"], 2, "5m 15m 30m 1h 4h 1d 1w"),
        (["A APL", "1h"], 2, "Symbol was"),
        (["AAPL", "1h", "--start", "2024-01-03", "--end", "2024-01-02"], 2, "exclusive"),
        (["AAPL", "1h", "--start", "yesterday"], 2, "--start was 'yesterday'"),
        (["AAPL", "1h", "--basis", "weeks"], 2, "basis"),
        (["AAPL", "1h", "--format", "xlsx"], 2, "format"),
        (["AAPL", "1h", "--basis", "day"], 2, "1d and 1w only"),
        (["AAPL", "1d", "--basis", "day", "--session", "extended"], 2, "have neither"),
        (["AAPL", "1h", "--session", "night"], 2, "session"),
        (["AAPL", "1h", "--adjusted", "twice"], 2, "adjusted"),
        (["AAPL", "1h", "--dividends", "ex_close"], 2, "adjusted all only"),
        (["AAPL", "1h", "--adjusted-to", "2024-01-02"], 2, "adjusted none"),
        (["AAPL", "1h", "--adjusted", "split", "--adjusted-to", "today"], 2, "--adjusted-to was 'today'"),
        (["AAPL", "1h", "--as-of", "2200-01-01"], 2, "later than now"),
        (["AAPL", "1h", "--session", "extended", "--end", "9999-12-31"], 3, "has no bar to 9999-12-31"),
    ],
)
def test_question_without_an_answer_says_why(
    run: Any, here: Variables, arguments: list[str], code: int, words: str
) -> None:
    outcome = run("candles", *arguments, **here)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err


def test_output_that_cannot_be_written_is_exit_2(run: Any, here: Variables, tmp_path: Path) -> None:
    outcome = run("candles", "AAPL", "1h", "--output", str(tmp_path / "absent" / "candles.csv"), **here)
    assert outcome.code == 2
    assert "candles.csv" in outcome.err
