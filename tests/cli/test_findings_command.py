"""`chandlery findings`: listed as rows, shown with their story, decided on in the states that allow it."""

import csv
import getpass
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.symbols import AssetClass
from chandlery.store.recorded_findings import Scope, record
from chandlery.store.universe import register_instrument

ROW = [
    *("id", "check", "rule", "severity", "symbol", "timeframe", "ts", "ts_end", "session", "last_session"),
    *("verdict", "state", "evidence"),
]
DAYS = [date(2024, 1, 2) + timedelta(days=place) for place in range(8)]


def found(place: int, rule: str, **facts: object) -> dict[str, object]:
    session = DAYS[place]
    return {
        "row": None,
        "ts": datetime(session.year, session.month, session.day, 5, tzinfo=UTC),
        "ts_end": None,
        "session": session,
        "last_session": session,
        "rule": rule,
        "check": 12,
        "severity": "major",
        "verdict": "confirmed",
        "term": "plausibility",
        "evidence": '{"factor": 100.0, "votes": [{"by": "volume", "says": "defect"}]}',
        **facts,
    }


@dataclass
class Desk:
    """The command over a warehouse with three findings of AAPL and one of its venue."""

    run: Callable[..., Any]
    variables: dict[str, object]
    warehouse: Any

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        outcome = self.run("findings", *arguments, **self.variables)
        assert outcome.code == code, outcome.err
        return outcome

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return list(json.loads(self(*arguments, "--format", "json").out))

    def first(self) -> str:
        return str(self.rows()[0]["id"])


@pytest.fixture
def desk(run: Any, fresh: Any, server_of: Any) -> Iterator[Desk]:
    with fresh.write() as connection:
        stock = register_instrument(
            connection, symbol="AAPL", asset_class=AssetClass.STOCKS, calendar="NYSE", name=None, source="tape"
        )
        mine = [
            found(1, "prices_keep_their_unit"),
            found(3, "wicks_stay_near_the_body", check=9, verdict="true_move", last_session=DAYS[4]),
            found(6, "prices_keep_their_unit", severity="minor", verdict="suspected"),
        ]
        scope = Scope(calendar="NYSE", timeframe="1d", start=DAYS[0], end=DAYS[-1], instrument_id=stock.instrument_id)
        record(connection, scope, pl.DataFrame(mine, schema=dict(FINDING_SCHEMA)), rules=[])
        venue = pl.DataFrame([found(2, "bars_are_fresh", check=25)], schema=dict(FINDING_SCHEMA))
        nobody = pl.lit(None, dtype=pl.Int64).alias("instrument_id")
        about = Scope(calendar="NYSE", timeframe="1d", start=DAYS[0], end=DAYS[-1])
        record(connection, about, venue.with_columns(nobody), rules=[])
    return Desk(run, server_of(fresh), fresh)


def test_json_has_a_row_a_finding_the_newest_first(desk: Desk) -> None:
    rows = desk.rows()
    assert [list(row) for row in rows] == [ROW] * 4
    assert [(row["session"], row["symbol"]) for row in rows] == [
        ("2024-01-08", "AAPL"),
        ("2024-01-05", "AAPL"),
        ("2024-01-04", "NYSE"),
        ("2024-01-03", "AAPL"),
    ]
    oldest = {name: value for name, value in rows[-1].items() if name != "id"}
    assert oldest == {
        "check": 12,
        "rule": "prices_keep_their_unit",
        "severity": "major",
        "symbol": "AAPL",
        "timeframe": "1d",
        "ts": "2024-01-03T05:00:00Z",
        "ts_end": None,
        "session": "2024-01-03",
        "last_session": "2024-01-03",
        "verdict": "confirmed",
        "state": "open",
        "evidence": {"factor": 100.0, "votes": [{"by": "volume", "says": "defect"}]},
    }


@pytest.mark.parametrize(
    ("arguments", "sessions"),
    [
        (["--symbol", "aapl"], ["2024-01-08", "2024-01-05", "2024-01-03"]),
        (["--symbol", "NYSE"], ["2024-01-04"]),
        (["--check", "9"], ["2024-01-05"]),
        (["--rule", "bars_are_fresh"], ["2024-01-04"]),
        (["--severity", "minor"], ["2024-01-08"]),
        (["--verdict", "true_move"], ["2024-01-05"]),
        (["--timeframe", "1m"], []),
        (["--state", "dismissed"], []),
        (["--state", "any", "--limit", "1"], ["2024-01-08"]),
        (["--start", "2024-01-06"], ["2024-01-08", "2024-01-05"]),
        (["--end", "2024-01-05"], ["2024-01-04", "2024-01-03"]),
    ],
    ids=" ".join,
)
def test_options_choose(desk: Desk, arguments: list[str], sessions: list[str]) -> None:
    assert [row["session"] for row in desk.rows(*arguments)] == sessions


def test_csv_has_the_evidence_as_json(desk: Desk) -> None:
    rows = list(csv.DictReader(io.StringIO(desk("--format", "csv").out)))
    assert list(rows[0]) == ROW
    assert json.loads(rows[0]["evidence"])["factor"] == 100.0


def test_table_says_when_there_is_more(desk: Desk) -> None:
    outcome = desk("--limit", "2")
    assert "prices_keep_their_unit" in outcome.out
    assert "--limit" in outcome.err
    assert desk().err == ""


def test_show_tells_the_whole_story(desk: Desk) -> None:
    number = desk.first()
    desk("approve", number, "--note", "seen in the filing")
    desk("dismiss", number)
    story = json.loads(desk("show", number, "--format", "json").out)
    assert list(story) == [*ROW, "term", "calendar", "found_at", "decided_at", "events"]
    assert [(event["event"], event["from_state"], event["to_state"]) for event in story["events"]] == [
        ("approved", "open", "confirmed"),
        ("dismissed", "confirmed", "dismissed"),
    ]
    assert story["events"][0]["detail"] == {"note": "seen in the filing"}
    assert story["events"][0]["actor"] == getpass.getuser()
    table = desk("show", number).out
    assert "approved" in table
    assert '"factor": 100.0' in table


def test_decisions_move_a_finding_through_its_states(desk: Desk) -> None:
    number = desk.first()
    for command, state in (("approve", "confirmed"), ("reopen", "open"), ("dismiss", "dismissed"), ("reopen", "open")):
        assert f"is {state}" in desk(command, number).out
        assert [str(row["id"]) for row in desk.rows("--state", state, "--symbol", "AAPL")][:1] == [number]


@pytest.mark.parametrize(
    ("before", "command", "state"),
    [
        ([], "reopen", "open"),
        (["approve"], "approve", "confirmed"),
        (["dismiss"], "dismiss", "dismissed"),
        (["dismiss"], "approve", "dismissed"),
    ],
)
def test_step_in_the_wrong_state_is_refused_with_the_state_named(
    desk: Desk, before: list[str], command: str, state: str
) -> None:
    number = desk.first()
    for earlier in before:
        desk(earlier, number)
    outcome = desk(command, number, code=6)
    assert outcome.err.startswith("wrong_state: ")
    assert f"is {state}" in outcome.err
    assert "chandlery findings" in outcome.err
    assert str(desk.rows("--state", state)[0]["id"]) == number


@pytest.mark.parametrize("command", ["show", "approve", "dismiss", "reopen"])
def test_unknown_finding_is_exit_3(desk: Desk, command: str) -> None:
    assert "Finding 999999 does not exist" in desk(command, "999999", code=3).err


def test_unknown_symbol_is_exit_3(desk: Desk) -> None:
    assert desk("--symbol", "NOBODY", code=3).err.startswith("not_found: ")


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--severity", "awful"], ["--state", "lost"], ["--timeframe", "5m"], ["--start", "x"]),
        *(["--check", "29"], ["--limit", "99999999999999999999"], ["show", "99999999999999999999"]),
        ["--start", "2012-01-01", "--end", "2011-01-01"],
        ["--rule", "wicks_stay_near_the_bodies"],
    ],
)
def test_impossible_choice_is_exit_2(desk: Desk, arguments: list[str]) -> None:
    desk(*arguments, code=2)


def test_rule_that_is_not_names_those_near_it(desk: Desk) -> None:
    assert "wicks_stay_near_the_body" in desk("--rule", "wicks_stay_near_the_bodies", code=2).err


def test_judging_an_empty_range_says_so(desk: Desk) -> None:
    assert desk("judge", "--symbol", "AAPL").out.startswith("judged: 0 series, 0 sessions, 0 bars")
    facts = json.loads(desk("judge", "--start", "2024-01-02", "--end", "2024-01-09", "--json").out)
    assert (facts["series"], facts["failures"], facts["recorded"]["opened"]) == (0, [], 0)


def test_threshold_that_no_rule_has_is_refused_before_anything_is_done(desk: Desk) -> None:
    desk.variables["CHANDLERY_QUALITY__THRESHOLDS__NO_SUCH_THING"] = 1
    outcome = desk("judge", code=2)
    assert "no_such_thing is no threshold" in outcome.err
