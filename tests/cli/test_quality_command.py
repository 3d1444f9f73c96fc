"""`chandlery coverage` and `chandlery quality`: formats, explanations, refusals."""

import csv
import io
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

Variables = dict[str, object]

_UNIVERSE = """
insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value
values (1, 'stocks', 'NYSE'), (2, 'stocks', 'NYSE');
insert into ops.instrument_tickers values
    ('AAPL', '1900-01-01', null, 1, 'tape'), ('MSFT', '1900-01-01', null, 2, 'tape');
insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status) values
    (1, '1m', '2024-01-02', '2024-01-06', 'published'), (1, '1d', '2024-01-02', '2024-01-06', 'published');
insert into ops.sessions (calendar, session, open, close, pre_open, post_close, day_ts, week_ts, is_early)
select 'NYSE', d, d + time '14:30' at time zone 'UTC', d + time '21:00' at time zone 'UTC',
    d + time '09:00' at time zone 'UTC', d + time '23:00' at time zone 'UTC', d + time '05:00' at time zone 'UTC',
    '2024-01-01 05:00+0', false
from unnest(array['2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05']::date[]) as d;
insert into raw.massive__bars_1m (ts, open, high, low, close, volume, instrument_id, ingest_id, reason)
select '2024-01-03 15:00+0'::timestamptz + i * interval '1 minute', 1, 1, 1, 1, 5, 1, 1, 'first'
from generate_series(0, 9) as i;
insert into raw.massive__quarantine
    (window_id, seq, instrument_id, timeframe, ts, open, high, low, close, volume, rules)
values (1, 1, 1, '1m', '2024-01-04 15:00+0', 1, 0, 1, 1, 5, '{high_covers_body}');
insert into ops.findings
    (finding_id, instrument_id, calendar, timeframe, ts, session, last_session, rule, "check", severity, verdict, term,
    evidence, state)
overriding system value values
    (11, 1, 'NYSE', '1m', '2024-01-03 15:02+0', '2024-01-03', '2024-01-03', 'volume_keeps_its_habit', 13, 'minor',
        'suspected', 'plausibility', '{"ratio": 31.5}', 'open'),
    (12, 1, 'NYSE', '1m', '2024-01-04 15:00+0', '2024-01-04', '2024-01-04', 'high_covers_body', 2, 'critical',
        'confirmed', 'validity', '{"high": 0}', 'confirmed'),
    (13, 1, 'NYSE', '1m', '2024-01-03 15:02+0', '2024-01-03', '2024-01-03', 'closes_do_not_revert', 9, 'major',
        'true_move', 'plausibility', '{}', 'open');
"""
# Four sessions of ten expected bars: clean; one doubtful bar; one held; nothing came.
_MARTS = """
create table marts.quality_scores_daily (instrument_id int, timeframe text, session date, score float8,
    validity float8, completeness float8, plausibility float8, bar_count int, expected_count int, held_count int,
    findings int, source text, consistency float8, timeliness float8, judged_count int, sound_count int,
    plausible_sum float8, compared_count int, consistent_sum float8, is_timed bool, timely float8, has_major bool,
    has_critical bool);
insert into marts.quality_scores_daily values
    (1, '1m', '2024-01-02', 1, 1, 1, 1, 10, 10, 0, 0, 'tape', null, null, 10, 10, 10, 0, 0, false, 0, false, false),
    (1, '1m', '2024-01-03', exp(.15 * ln(.985) / .7), 1, 1, .985, 10, 10, 0, 1, 'tape', null, null, 10, 10, 9.85, 0, 0,
        false, 0, false, false),
    (1, '1m', '2024-01-04', .2, .9, .9, .9, 9, 10, 1, 1, 'tape', null, null, 10, 9, 9, 0, 0, false, 0, false, true),
    (1, '1m', '2024-01-05', .01, null, 0, null, 0, 10, 0, 0, null, null, null, 0, 0, 0, 0, 0, false, 0, false, false),
    (1, '1d', '2024-01-02', null, null, null, null, 0, 0, 0, 0, null, null, null, 0, 0, 0, 0, 0, false, 0, false,
        false);
create table marts.coverage_daily (instrument_id int, timeframe text, session date, expected_count int,
    present_count int, filler_count int, held_count int, missing_count int, reason text);
insert into marts.coverage_daily values
    (1, '1m', '2024-01-02', 10, 10, 0, 0, 0, null), (1, '1m', '2024-01-03', 10, 9, 1, 0, 0, null),
    (1, '1m', '2024-01-04', 10, 9, 0, 1, 1, 'held'), (1, '1m', '2024-01-05', 10, 0, 0, 0, 10, 'unknown');
create table intermediate.int_judged_holes (instrument_id int, timeframe text, session date, missing_count int,
    reason text);
insert into intermediate.int_judged_holes values
    (1, '1m', '2024-01-04', 1, 'held'), (1, '1m', '2024-01-05', 10, 'unknown');
create table marts.gaps (instrument_id int, timeframe text, ts timestamptz, ts_end timestamptz, session date,
    last_session date, sessions int, missing_count bigint, reason text, finding_id bigint);
insert into marts.gaps values
    (1, '1m', '2024-01-04 15:00+0', '2024-01-04 15:01+0', '2024-01-04', '2024-01-04', 1, 1, 'held', 12),
    (1, '1m', '2024-01-05 14:30+0', '2024-01-05 21:00+0', '2024-01-05', '2024-01-05', 1, 10, 'unknown', null);
"""


@pytest.fixture(scope="module")
def here(warehouse: Any, tell: Any, server_of: Callable[[Any], Variables]) -> Variables:
    tell(warehouse, _UNIVERSE)
    tell(warehouse, _MARTS, role="pipeline")
    return server_of(warehouse)


def test_coverage_json_says_what_is_missing_and_why(run: Any, here: Variables) -> None:
    outcome = run("coverage", "AAPL", "--format", "json", **here)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == {
        "symbol": "AAPL",
        "timeframe": "1m",
        "sessions": 4,
        "expected": 40,
        "present": 28,
        "fillers": 1,
        "held": 1,
        "missing": 11,
        "by_reason": {"unknown": 10, "held": 1},
        "gaps": [
            {
                "ts": "2024-01-04T15:00:00Z",
                "ts_end": "2024-01-04T15:01:00Z",
                "sessions": 1,
                "missing": 1,
                "reason": "held",
                "finding_id": 12,
            },
            {
                "ts": "2024-01-05T14:30:00Z",
                "ts_end": "2024-01-05T21:00:00Z",
                "sessions": 1,
                "missing": 10,
                "reason": "unknown",
                "finding_id": None,
            },
        ],
    }


def test_coverage_range_is_half_open(run: Any, here: Variables) -> None:
    facts = json.loads(
        run("coverage", "aapl", "--start", "2024-01-03", "--end", "2024-01-05", "--format", "json", **here).out
    )
    assert (facts["sessions"], facts["expected"], facts["missing"], facts["by_reason"]) == (2, 20, 1, {"held": 1})
    assert [gap["reason"] for gap in facts["gaps"]] == ["held"]


def test_coverage_csv_is_the_gap_manifest(run: Any, here: Variables) -> None:
    rows = list(csv.DictReader(io.StringIO(run("coverage", "AAPL", "--format", "csv", **here).out)))
    assert [(row["ts"], row["missing"], row["reason"]) for row in rows] == [
        ("2024-01-04T15:00:00Z", "1", "held"),
        ("2024-01-05T14:30:00Z", "10", "unknown"),
    ]


def test_coverage_table_begins_with_the_sums(run: Any, here: Variables) -> None:
    lines = run("coverage", "AAPL", **here).out.splitlines()
    assert lines[0] == "AAPL 1m: 4 sessions, 28 of 40 bars (70.00%), 1 fillers, 11 missing"
    assert lines[1:3] == ["  unknown: 10", "  held: 1"]
    assert "2024-01-05T14:30:00Z" in lines[-2]


def test_quality_json_gives_every_lost_point_to_a_check_and_its_evidence(run: Any, here: Variables) -> None:
    outcome = run("quality", "AAPL", "--timeframe", "1m", "--format", "json", **here)
    assert (outcome.code, outcome.err) == (0, "")
    facts = json.loads(outcome.out)
    doubtful = math.exp(0.15 * math.log(0.985) / 0.7)
    assert (facts["symbol"], facts["partitions"]) == ("AAPL", 4)
    assert facts["score"] == pytest.approx((1 + doubtful + 0.2 + 0.01) / 4, rel=1e-12)
    assert facts["worst_decile"] == pytest.approx(0.01)
    for session in facts["sessions"]:
        lost = sum(loss["points"] for loss in session["losses"])
        assert session["score"] + lost == pytest.approx(1.0, rel=1e-9)
        assert all(loss["checks"] for loss in session["losses"])
    clean, second, third, empty = facts["sessions"]
    assert clean["losses"] == []
    assert second["terms"] == {
        "validity": 1.0,
        "completeness": 1.0,
        "consistency": None,
        "plausibility": 0.985,
        "timeliness": None,
    }
    (loss,) = second["losses"]
    assert (loss["term"], loss["checks"]) == ("plausibility", [13])
    # The true move costs nothing and is not named.
    assert loss["findings"] == [
        {
            "finding_id": 11,
            "check": 13,
            "rule": "volume_keeps_its_habit",
            "severity": "minor",
            "verdict": "suspected",
            "state": "open",
            "ts": "2024-01-03T15:02:00Z",
            "ts_end": None,
            "evidence": {"ratio": 31.5},
        }
    ]
    assert {loss["term"] for loss in third["losses"]} == {"validity", "completeness", "plausibility", "cap"}
    assert [(loss["term"], loss["checks"], loss["findings"]) for loss in empty["losses"]] == [("completeness", [8], [])]


def test_quality_bars_are_those_a_finding_covers(run: Any, here: Variables) -> None:
    facts = json.loads(run("quality", "AAPL", "--bars", "--format", "json", **here).out)
    assert [(row["ts"], row["score"], row["is_held"], row["finding_ids"]) for row in facts["bars"]] == [
        ("2024-01-03T15:02:00Z", 0.85, False, [11]),
        ("2024-01-04T15:00:00Z", 0.0, True, [12]),
    ]


def test_quality_table_shows_the_worst_first_with_what_was_lost(run: Any, here: Variables) -> None:
    out = run("quality", "AAPL", "--bars", **here).out
    assert out.startswith("AAPL: score 0.5517, worst decile 0.0100, over 4 sessions of bars; 3 lost points")
    days = [line.split()[3] for line in out.splitlines() if "2024-01-0" in line and "1m" in line]
    assert days[:3] == ["2024-01-05", "2024-01-04", "2024-01-03"]
    assert "cap" in out
    assert "plausibility -0.003 (check 13)" in out
    assert "Bars below 1: 2" in out


def test_quality_csv_has_one_row_a_session(run: Any, here: Variables) -> None:
    rows = list(csv.DictReader(io.StringIO(run("quality", "AAPL", "--format", "csv", **here).out)))
    assert [(row["timeframe"], row["session"], row["score"]) for row in rows][:2] == [
        ("1d", "2024-01-02", ""),
        ("1m", "2024-01-02", "1.0"),
    ]


def test_symbol_of_which_nothing_was_expected_has_no_score(run: Any, here: Variables) -> None:
    facts = json.loads(run("quality", "AAPL", "--timeframe", "1d", "--format", "json", **here).out)
    assert (facts["partitions"], facts["score"], facts["worst_decile"]) == (0, None, None)
    assert "nothing was expected" in run("quality", "AAPL", "--timeframe", "1d", **here).out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["coverage", "TSLA"], 3, "No instrument is known under TSLA"),
        (["quality", "TSLA"], 3, "No instrument is known under TSLA"),
        (["coverage", "MSFT"], 3, "MSFT 1m was never asked for"),
        (["quality", "MSFT"], 3, "MSFT has no score"),
        (["coverage", "AAPL", "--start", "2025-01-01"], 3, "from 2025-01-01"),
        (["coverage", "A APL"], 2, "Symbol was"),
        (["coverage", "AAPL", "--timeframe", "1h"], 2, "1h"),
        (["quality", "AAPL", "--timeframe", "5m"], 2, "5m"),
        (["quality", "AAPL", "--start", "2024-01-03", "--end", "2024-01-03"], 2, "exclusive"),
        (["coverage", "AAPL", "--start", "today"], 2, "--start was 'today'"),
        (["quality", "AAPL", "--bars", "--format", "csv"], 2, "no place for bars"),
        (["quality", "AAPL", "--format", "xlsx"], 2, "format"),
    ],
)
def test_question_without_an_answer_says_why(
    run: Any, here: Variables, arguments: list[str], code: int, words: str
) -> None:
    outcome = run(*arguments, **here)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
