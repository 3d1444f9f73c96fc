"""Fault scripts: which request is hit, and scripts written as JSON."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chandlery.errors import ConfigError
from chandlery.sources.standin import Received, ask, create_app
from chandlery.sources.standin.faults import (
    FAULTS,
    FaultScript,
    Planned,
    payload_too_large,
    read_script,
    server_error,
    unauthorized,
)
from chandlery.sources.tapes import Tape

KEY = {"Authorization": "Bearer any"}
AAPL = "/v2/aggs/ticker/AAPL/range/1/day/2010-01-04/2010-01-04"
BA = "/v2/aggs/ticker/BA/range/1/day/2010-01-04/2010-01-04"


def _statuses(recorded: Tape, script: FaultScript, *urls: str, now: Any = None) -> list[int]:
    options = {} if now is None else {"now": now}
    app = create_app(recorded, faults=script, **options)
    return [ask(app, url, headers=KEY).status for url in urls]


def _write(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "faults.json"
    path.write_text(json.dumps({"faults": lines}), encoding="utf-8")
    return path


def test_nth_request_of_a_path_is_hit_whatever_comes_between(recorded: Tape) -> None:
    script = FaultScript(planned=(Planned(server_error(), path="/v2/aggs/ticker/BA/*", nth=2, times=2),))
    assert _statuses(recorded, script, BA, AAPL, AAPL, BA, AAPL, BA, BA) == [200, 200, 200, 500, 200, 500, 200]


def test_pattern_with_a_question_mark_sees_the_query(recorded: Tape) -> None:
    script = FaultScript(planned=(Planned(server_error(), path="/v3/reference/splits?ticker=BA*", times=0),))
    urls = [f"/v3/reference/splits{query}" for query in ("", "?ticker=AAPL", "?ticker=BA&limit=1", "?ticker=BA")]
    assert _statuses(recorded, script, *urls) == [200, 200, 500, 500]


def test_request_may_be_named_by_its_number(recorded: Tape) -> None:
    script = FaultScript({1: unauthorized()}, (Planned(server_error(), request=3),))
    assert _statuses(recorded, script, BA, BA, BA, BA) == [401, 200, 500, 200]


def test_endless_fault_begins_at_its_instant(recorded: Tape) -> None:
    start = datetime(2026, 11, 3, tzinfo=UTC)
    moments = (start + timedelta(minutes=minute) for minute in range(5))
    script = FaultScript(planned=(Planned(server_error(), at=start + timedelta(minutes=3), times=0),))
    # Two readings of the clock a request would be one too many: a fault reads it once.
    assert _statuses(recorded, script, *[BA] * 5, now=lambda: next(moments)) == [200, 200, 200, 500, 500]


def test_first_planned_fault_is_played_and_all_are_counted(recorded: Tape) -> None:
    script = FaultScript(planned=(Planned(server_error()), Planned(payload_too_large(), times=2)))
    assert _statuses(recorded, script, BA, BA, BA) == [500, 413, 200]


def test_change_is_made_beside_a_fault_of_the_same_request(recorded: Tape) -> None:
    withdrawn = FAULTS["bar_withdrawn"].make()
    script = FaultScript(planned=(Planned(withdrawn), Planned(server_error())))
    app = create_app(recorded, faults=script)
    assert ask(app, BA, headers=KEY).status == 500
    assert json.loads(ask(app, BA, headers=KEY).content)["count"] == 0


def test_script_is_read_from_json_with_parameters(recorded: Tape, tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        {"fault": "rate_limited_with_retry_after", "request": 1, "with": {"retry_after": "7"}},
        {"fault": "server_error_502", "path": "/v2/aggs/ticker/BA/*", "nth": 2, "times": 0},
        {
            "fault": "late_split",
            "at": "2026-11-03T12:00:00Z",
            "with": {"symbol": "AAPL", "execution_date": "2016-05-02", "split_from": 1, "split_to": 4},
        },
        {"fault": "bar_revised", "path": "/v2/aggs/ticker/GE/*", "with": {"symbol": "GE", "timeframe": "1d", "t": 1}},
    )
    journal: list[Received] = []
    app = create_app(
        recorded, faults=read_script(path), journal=journal, now=lambda: datetime(2026, 11, 3, 13, tzinfo=UTC)
    )
    answers = [ask(app, url, headers=KEY) for url in (AAPL, BA, AAPL, BA, BA)]
    assert [answer.status for answer in answers] == [429, 200, 200, 502, 502]
    assert answers[0].headers["retry-after"] == "7"
    # The split is due at the first request after its instant, the refusal is what that request sees.
    assert journal[0].fault == "rate_limited_with_retry_after"
    splits = json.loads(ask(app, "/v3/reference/splits?ticker=AAPL", headers=KEY).content)["results"]
    assert splits[0]["execution_date"] == "2016-05-02"


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"late_split"}))
def test_every_fault_can_be_named_in_a_file(tmp_path: Path, name: str) -> None:
    (planned,) = read_script(_write(tmp_path, {"fault": name})).planned
    assert planned.fault.name == name


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"fault": "rain"}, "Line 1 .*'rain'; known faults are rate_limited,"),
        ({"fault": "late_split"}, "Line 1 .*late_split.*symbol"),
        ({"fault": "bar_revised", "with": {"symbol": "BA"}}, "named by half"),
        ({"fault": "bar_revised", "with": {"symbol": "BA", "t": 1, "timeframe": "4h"}}, "Timeframe was 4h"),
        ({"fault": "rate_limited", "with": {"colour": "red"}}, "colour"),
        ({"fault": "rate_limited", "nth": 0}, "nth"),
        ({"fault": "rate_limited", "at": "2026-11-03T12:00:00"}, "timezone"),
        ({"fault": "rate_limited", "when": "now"}, "when"),
        ({"path": "*"}, "fault"),
        (
            {
                "fault": "late_split",
                "with": {"symbol": "A", "execution_date": "2016-05-02", "split_from": 0, "split_to": 1},
            },
            "at least 1",
        ),
    ],
)
def test_script_that_cannot_be_played_is_a_config_error_that_names_the_line(
    tmp_path: Path, line: dict[str, Any], found: str
) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)faults\.json.*{found}|{found}"):
        read_script(_write(tmp_path, line))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"faults": 3}'])
def test_file_that_is_no_script_is_a_config_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "faults.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"faults\.json"):
        read_script(tmp_path / "faults.json")


def test_absent_script_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_script(tmp_path / "absent.json")
