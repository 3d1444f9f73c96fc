"""`chandlery repairs` with `findings approve` and `dismiss`: proposed, looked at, decided, taken back."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings
from chandlery.sources import open_source
from chandlery.sources.standin.faults import FAULTS, FaultScript, Planned
from chandlery.sources.standin.serve import running
from chandlery.sources.tapes import Tape
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.store.universe import register_instrument

Variables = dict[str, object]
OPENING = datetime(2024, 1, 8, 14, 30, tzinfo=UTC)
DAY = date(2024, 1, 8)
MIDDLE = "2024-01-08T17:45:00+00:00"
"""Minute 195 of 390: the stand-in garbles the middle bar of what it is asked for."""
VALUES = ("open", "high", "low", "close", "volume", "vwap", "trade_count")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    folder = tmp_path_factory.mktemp("tape")
    (folder / "us_minute").mkdir()
    stamps = [int((OPENING + timedelta(minutes=place)).timestamp() * 1000) for place in range(390)]
    price = {"open": 100.0, "high": 103.0, "low": 99.0, "close": 100.5}
    frame = pl.DataFrame({"symbol": "AAPL", "t": stamps, **price, "volume": 1000.0})
    frame.write_parquet(folder / "us_minute" / "AAPL.parquet")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def url(tape: Tape) -> Iterator[str]:
    with running(tape) as place:
        yield place


@dataclass(frozen=True)
class Held:
    """A warehouse with 389 minutes and one in quarantine; what the command line needs to find it."""

    run: Any
    variables: Variables
    ask: Callable[..., list[tuple[Any, ...]]]
    warehouse: Any

    def do(self, *arguments: str) -> Any:
        return self.run(*arguments, **self.variables)

    def facts(self, *arguments: str) -> Any:
        outcome = self.do(*arguments, "--format", "json")
        assert (outcome.code, outcome.err) == (0, "")
        return json.loads(outcome.out)

    def count(self, table: str) -> int:
        ((number,),) = self.ask(self.warehouse, f"select count(*) from raw.massive__{table}")
        return int(number)


@pytest.fixture(scope="module")
def template(postgres: Any, tape: Tape) -> Iterator[str]:
    made = postgres.create("held")
    with made.write() as connection:
        register_instrument(
            connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="tape"
        )
    build_calendar(made, start=date(2024, 1, 1), end=date(2024, 2, 1))
    fault = Planned(FAULTS["nan_value"].make(), path="/v2/aggs/*")
    with running(tape, faults=FaultScript(planned=(fault,))) as place:
        source = open_source(Settings(source="replay"), replay_url=place)
        ingest_bars(source, made, timeframe=Timeframe.M1, start=DAY, end=DAY + timedelta(days=1))
        source.close()
    yield made.database.name
    postgres.drop(made)


@pytest.fixture
def copied(postgres: Any, template: str) -> Iterator[Any]:
    made = postgres.create(template=template)
    yield made
    postgres.drop(made)


@pytest.fixture
def held(copied: Any, run: Any, server_of: Callable[[Any], Variables], ask: Any, url: str) -> Held:
    place = {"CHANDLERY_SOURCE": "replay", "CHANDLERY_PROVIDER__PORT": urlsplit(url).port}
    return Held(run, {**server_of(copied), **place}, ask, copied)


def test_held_bar_is_proposed_looked_at_approved_and_taken_back(held: Held) -> None:
    (step,) = held.facts("repairs", "propose")
    assert (step["outcome"], step["method"], step["rule"]) == ("proposed", "refetch", "values_are_finite")
    number, finding = str(step["repair_id"]), str(step["finding_id"])
    assert held.count("bars_1m") == 389

    (listed,) = held.facts("repairs", "--status", "proposed")
    assert (listed["symbol"], listed["bars"], listed["is_exact"]) == ("AAPL", 1, True)
    shown = held.facts("repairs", "show", number)
    assert [row["ts"] for row in (*shown["before"], *shown["after"])] == [MIDDLE, MIDDLE]
    assert "NaN" in [shown["before"][0][name] for name in VALUES]
    assert [shown["after"][0][name] for name in VALUES[:5]] == [100.0, 103.0, 99.0, 100.5, 1000.0]
    assert shown["evidence"]["answers"] == 2

    approved = held.do("findings", "approve", finding, "--note", "seen")
    assert (approved.code, approved.err) == (0, "")
    assert "is repaired" in approved.out
    assert (held.count("bars_1m"), held.count("quarantine")) == (390, 0)
    assert [row["status"] for row in held.facts("repairs")] == ["applied"]

    reverted = held.do("repairs", "revert", number, "--note", "not yet")
    assert reverted.code == 0
    assert f"finding {finding} is open again" in reverted.out
    assert (held.count("bars_1m"), held.count("quarantine")) == (389, 1)
    assert held.facts("findings", "show", finding)["state"] == "open"


def test_exact_repair_is_applied_at_once_only_if_asked_for(held: Held) -> None:
    (step,) = held.facts("repairs", "propose", "--apply-exact")
    assert step["outcome"] == "applied"
    assert held.count("bars_1m") == 390
    assert held.facts("repairs", "propose") == []


def test_proposal_can_do_without_the_source(held: Held) -> None:
    (step,) = held.facts("repairs", "propose", "--no-refetch", "--symbol", "aapl")
    assert (step["outcome"], step["method"]) == ("none", None)


def test_dismissal_rejects_the_proposal(held: Held) -> None:
    (step,) = held.facts("repairs", "propose", "--finding", "1")
    assert held.do("findings", "dismiss", str(step["finding_id"])).code == 0
    assert [row["status"] for row in held.facts("repairs", "--symbol", "AAPL")] == ["rejected"]
    refusal = held.do("findings", "approve", str(step["finding_id"]))
    assert (refusal.code, "is dismissed" in refusal.err) == (6, True)


def test_tables_and_csv_say_the_same(held: Held) -> None:
    held.do("repairs", "propose")
    table = held.do("repairs").out
    assert all(word in table for word in ("AAPL", "refetch", "proposed", "2024-01-08T17:45:00Z"))
    (row,) = csv.DictReader(io.StringIO(held.do("repairs", "--format", "csv").out))
    assert (row["symbol"], row["method"], row["bars"], row["is_exact"]) == ("AAPL", "refetch", "1", "yes")
    shown = held.do("repairs", "show", "1").out
    assert all(word in shown for word in ("status: proposed", "held", "after", "100.5", "NaN", "payload_sha256"))
    lines = list(csv.DictReader(io.StringIO(held.do("repairs", "show", "1", "--format", "csv").out)))
    assert [line["which"] for line in lines] == ["held", "after"]


def test_source_that_is_down_is_told_after_all_else(held: Held) -> None:
    away = {**held.variables, "CHANDLERY_PROVIDER__PORT": 9, "CHANDLERY_MASSIVE__RETRIES": 0}
    outcome = held.run("repairs", "propose", "--format", "json", **away)
    assert (outcome.code, json.loads(outcome.out)[0]["outcome"]) == (4, "none")
    assert "AAPL could not be asked again" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["repairs", "--status", "done"], 2, "--status was 'done'"),
        (["repairs", "--symbol", "TSLA"], 3, "TSLA"),
        (["repairs", "show", "99"], 3, "Repair 99 does not exist"),
        (["repairs", "revert", "99"], 3, "Repair 99 does not exist"),
        (["repairs", "propose", "--finding", "99"], 3, "Finding 99 does not exist"),
        (["repairs", "propose", "--symbol", "TSLA"], 3, "TSLA"),
    ],
)
def test_question_without_an_answer_says_why(held: Held, arguments: list[str], code: int, words: str) -> None:
    outcome = held.do(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err
