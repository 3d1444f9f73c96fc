"""`chandlery revisions` and `chandlery versions`: what changed between two answers of a source."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chandlery.clock import now
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings
from chandlery.sources import open_source
from chandlery.sources.standin.serve import running
from chandlery.sources.tapes import Tape
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.store.universe import register_instrument

Variables = dict[str, object]
OPENING = datetime(2024, 1, 8, 14, 30, tzinfo=UTC)
FIRST, SECOND = "2024-01-08T14:30:00Z", "2024-01-08T14:31:00Z"


@dataclass(frozen=True)
class Revised:
    """A warehouse that heard two answers, and when it knew the first alone."""

    variables: Variables
    between: str


def tape_of(folder: Path, *, close: float, count: int) -> Tape:
    (folder / "us_minute").mkdir(parents=True)
    stamps = [int((OPENING + timedelta(minutes=place)).timestamp() * 1000) for place in range(count)]
    price = {"open": 100.0, "high": 103.0, "low": 99.0, "close": [close, *[100.5] * (count - 1)]}
    frame = pl.DataFrame({"symbol": "AAPL", "t": stamps, **price, "volume": 1000.0})
    frame.write_parquet(folder / "us_minute" / "AAPL.parquet")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def revised(warehouse: Any, server_of: Callable[[Any], Variables], tmp_path_factory: pytest.TempPathFactory) -> Revised:
    folder = tmp_path_factory.mktemp("tapes")
    with warehouse.write() as connection:
        register_instrument(
            connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="tape"
        )
    build_calendar(warehouse, start=date(2024, 1, 1), end=date(2024, 2, 1))
    moments = []
    for place, (close, count) in enumerate(((101.0, 389), (102.0, 390))):
        with running(tape_of(folder / str(place), close=close, count=count)) as url:
            source = open_source(Settings(source="replay"), replay_url=url)
            span = (date(2024, 1, 8), date(2024, 1, 9))
            ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=span[0], end=span[1])
            source.close()
        moments.append(now().isoformat())
    return Revised(server_of(warehouse), moments[0])


def test_revisions_tell_what_differs_now(run: Any, revised: Revised) -> None:
    outcome = run("revisions", "AAPL", "--from", revised.between, "--format", "json", **revised.variables)
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    shown = [tuple(row[name] for name in ("ts", "change", "reason", "close_before", "close_after")) for row in found]
    assert shown == [
        (FIRST, "revised", "vendor_correction", 101.0, 102.0),
        ("2024-01-08T20:59:00Z", "added", "first", None, 100.5),
    ]


def test_revisions_in_csv_hold_the_same(run: Any, revised: Revised) -> None:
    outcome = run("revisions", "aapl", "--from", revised.between, "--to", now().isoformat(), **revised.variables)
    found = list(csv.DictReader(io.StringIO(outcome.out)))
    assert [(row["ts"], row["change"], row["close_before"], row["close_after"]) for row in found] == [
        (FIRST, "revised", "101.0", "102.0"),
        ("2024-01-08T20:59:00Z", "added", "", "100.5"),
    ]


def test_without_a_change_there_is_a_header_or_an_empty_list(run: Any, revised: Revised) -> None:
    asked = ("revisions", "AAPL", "--from", now().isoformat())
    assert run(*asked, **revised.variables).out.count("\n") == 1
    assert json.loads(run(*asked, "--format", "json", **revised.variables).out) == []


def test_versions_of_one_bar_follow_each_other(run: Any, revised: Revised) -> None:
    outcome = run("versions", "AAPL", "2024-01-08T14:30", "--format", "json", **revised.variables)
    first, second = json.loads(outcome.out)
    assert (first["close"], first["reason"], second["close"], second["reason"]) == (
        101.0,
        "first",
        102.0,
        "vendor_correction",
    )
    assert (first["known_to"], second["known_to"]) == (second["known_from"], None)
    assert first["known_from"] < revised.between.replace("+00:00", "Z") < second["known_from"]
    assert first["request_ids"] != second["request_ids"]
    assert all(len(row["request_ids"]) == 1 for row in (first, second))


def test_versions_in_csv_name_requests_in_one_cell(run: Any, revised: Revised) -> None:
    outcome = run("versions", "AAPL", FIRST, "--end", "2024-01-08T14:32:00Z", **revised.variables)
    found = list(csv.DictReader(io.StringIO(outcome.out)))
    assert [(row["ts"], row["close"]) for row in found] == [(FIRST, "101.0"), (FIRST, "102.0"), (SECOND, "100.5")]
    assert all(row["request_ids"] and " " not in row["request_ids"] for row in found)


def test_parquet_keeps_lists_and_types(run: Any, revised: Revised, tmp_path: Path) -> None:
    file = tmp_path / "versions.parquet"
    run("versions", "AAPL", FIRST, "--format", "parquet", "-o", str(file), **revised.variables)
    frame = pl.read_parquet(file)
    assert (frame.height, frame.schema["request_ids"], frame.schema["known_from"]) == (
        2,
        pl.List(pl.String),
        pl.Datetime("us", "UTC"),
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["revisions", "AAPL", "--from", "then"], 2, "--from was 'then'"),
        (["revisions", "AAPL", "--from", "2024-01-02", "--to", "2024-01-01"], 2, "exclusive"),
        (["revisions", "AAPL", "--from", "2024-01-02", "--to", "2200-01-01"], 2, "later than now"),
        (["revisions", "AAPL", "--from", "2024-01-02", "--timeframe", "5m"], 2, "1m and 1d"),
        (["revisions", "TSLA", "--from", "2024-01-02"], 3, "TSLA is not tracked"),
        (["versions", "AAPL", "2023-01-08T14:30"], 3, "AAPL 1m has no version of a bar"),
        (["versions", "AAPL", "then"], 2, "START was 'then'"),
        (["versions", "AAPL", FIRST, "--end", FIRST], 2, "exclusive"),
    ],
)
def test_question_without_an_answer_says_why(
    run: Any, revised: Revised, arguments: list[str], code: int, words: str
) -> None:
    outcome = run(*arguments, **revised.variables)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err
