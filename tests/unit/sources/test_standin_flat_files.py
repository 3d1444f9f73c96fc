"""The flat-file tree against the tapes read directly and the vendor's documented layout."""

import gzip
import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chandlery.sources.standin import PLANS, ask, create_app
from chandlery.sources.tapes import Tape

KEY = {"Authorization": "Bearer any"}
TREE = "/flatfiles/us_stocks_sip"
MINUTES = f"{TREE}/minute_aggs_v1/2016/04/2016-04-15.csv.gz"
DAYS = f"{TREE}/day_aggs_v1/2010/05/2010-05-06.csv.gz"
COLUMNS = ["ticker", "volume", "open", "close", "high", "low", "window_start", "transactions"]


@pytest.fixture(scope="module")
def app(recorded: Tape) -> Any:
    return create_app(recorded, flat_files=True)


def _table(content: bytes) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(gzip.decompress(content)))


def test_minute_file_holds_the_minutes_of_the_day_in_nanoseconds(app: Any, data: Path) -> None:
    table = _table(ask(app, MINUTES, headers=KEY).content)
    assert table.columns == COLUMNS
    assert table["ticker"].value_counts().sort("ticker").rows() == [("AAPL", 390), ("MSFT", 390)]
    for symbol in ("AAPL", "MSFT"):
        file = pl.read_parquet(data / f"tapes/us_minute/{symbol}.parquet").sort("t").head(390)
        own = table.filter(pl.col("ticker") == symbol)
        assert own["window_start"].to_list() == [t * 1_000_000 for t in file["t"]]
        for name in ("open", "high", "low", "close", "volume"):
            assert own[name].cast(pl.Float64).to_list() == file[name].to_list()


def test_day_file_lies_at_midnight_in_new_york_and_is_unadjusted(app: Any, data: Path) -> None:
    table = _table(ask(app, DAYS, headers=KEY).content)
    assert table["ticker"].to_list() == ["AAPL", "BA", "EBAY", "GE", "SPY"]
    assert set(table["window_start"]) == {1_273_118_400_000_000_000}  # 2010-05-06 04:00 UTC
    file = pl.read_parquet(data / "tapes/us_daily/GE.parquet").filter(pl.col("session") == date(2010, 5, 6))
    row = table.filter(pl.col("ticker") == "GE")
    assert row["close"][0] == file["close"][0]
    assert row["volume"][0] == file["volume"][0]


def test_whole_volumes_are_written_whole_and_fractions_stay(tmp_path: Path) -> None:
    (tmp_path / "us_daily").mkdir()
    bar = {"session": date(2026, 3, 2), "open": 1.5, "high": 2.0, "low": 1.0, "close": 1.25}
    rows = [
        {"symbol": "A", "volume": 4930.0, "trade_count": 7},
        {"symbol": "B", "volume": 9099.618093, "trade_count": None},
    ]
    pl.DataFrame([{**bar, **row} for row in rows]).write_parquet(tmp_path / "us_daily/both.parquet")
    app = create_app(Tape.open(tmp_path), flat_files=True)
    text = gzip.decompress(ask(app, f"{TREE}/day_aggs_v1/2026/03/2026-03-02.csv.gz", headers=KEY).content).decode()
    assert text.splitlines() == [
        ",".join(COLUMNS),
        "A,4930,1.5,1.25,2.0,1.0,1772427600000000000,7",
        "B,9099.618093,1.5,1.25,2.0,1.0,1772427600000000000,",
    ]


def test_file_is_the_same_bytes_whoever_makes_it_and_its_tag_is_their_md5(app: Any, recorded: Tape) -> None:
    first, second = ask(app, MINUTES, headers=KEY), ask(create_app(recorded, flat_files=True), MINUTES, headers=KEY)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["etag"].strip('"') == hashlib.md5(first.content, usedforsecurity=False).hexdigest()
    assert first.content[4:8] == bytes(4), "the time in the gzip head"


def test_head_tells_length_and_tag_without_the_body(app: Any) -> None:
    head, whole = ask(app, MINUTES, headers=KEY, method="HEAD"), ask(app, MINUTES, headers=KEY)
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]


def test_file_that_is_known_is_not_sent_again(app: Any) -> None:
    tag = ask(app, MINUTES, headers=KEY, method="HEAD").headers["etag"]
    known = ask(app, MINUTES, headers={**KEY, "If-None-Match": tag})
    other = ask(app, MINUTES, headers={**KEY, "If-None-Match": '"other"'})
    assert (known.status, known.content, known.headers["etag"]) == (304, b"", tag)
    assert other.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "minute_aggs_v1/2016/04/2016-04-16.csv.gz",  # a Saturday
        "minute_aggs_v1/2016/05/2016-04-15.csv.gz",
        "minute_aggs_v1/2016/04/2016-4-15.csv.gz",
        "minute_aggs_v1/2016/04/2016-04-15.csv",
        "minute_aggs_v1/2016/04/2016-04-31.csv.gz",
        "second_aggs_v1/2016/04/2016-04-15.csv.gz",
        "day_aggs_v1/1500/01/1500-01-01.csv.gz",
    ],
)
def test_what_is_no_file_of_the_tree_is_404_as_s3_says_it(app: Any, path: str) -> None:
    answer = ask(app, f"{TREE}/{path}", headers=KEY)
    assert answer.status == 404
    assert b"<Code>NoSuchKey</Code>" in answer.content


def test_tree_is_open_to_whoever_has_the_plan_and_only_where_it_was_asked_for(recorded: Tape) -> None:
    now = lambda: datetime(2016, 5, 14, 12, tzinfo=UTC)  # noqa: E731
    assert ask(create_app(recorded, flat_files=True), MINUTES).status == 200
    basic = create_app(recorded, flat_files=True, plan=PLANS["basic"], now=now)
    assert ask(basic, MINUTES, headers=KEY).status == 403
    starter = create_app(recorded, flat_files=True, plan=PLANS["starter"], now=now)
    assert ask(starter, MINUTES, headers=KEY).status == 200
    assert ask(create_app(recorded), MINUTES, headers=KEY).status == 404


@pytest.mark.parametrize(("now", "status"), [("2016-04-16T14:59:59+00:00", 404), ("2016-04-16T15:00:00+00:00", 200)])
def test_file_is_out_at_eleven_in_new_york_of_the_next_day(recorded: Tape, now: str, status: int) -> None:
    plan = PLANS["advanced"]
    app = create_app(recorded, flat_files=True, plan=plan, now=lambda: datetime.fromisoformat(now))
    assert ask(app, MINUTES, headers=KEY).status == status


def test_flat_files_cost_no_calls(recorded: Tape) -> None:
    plan = replace(PLANS["starter"], calls_per_minute=1)
    app = create_app(recorded, flat_files=True, plan=plan, now=lambda: datetime(2016, 5, 14, 12, tzinfo=UTC))
    assert {ask(app, MINUTES, headers=KEY).status for _ in range(3)} == {200}
    assert ask(app, "/v3/reference/splits", headers=KEY).status == 200
