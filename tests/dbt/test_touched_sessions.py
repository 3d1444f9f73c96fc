"""Without `rebuild`, a run writes the candles whose bars changed and no other row. Every test puts its bars back."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

FRAMES = ("5m", "15m", "30m", "1h", "4h", "1d", "1w")
# The models alone: their data tests pass in the first build, and cost half of every one after it.
SELECT = ("--select", "marts", "serving", "--exclude", "resource_type:unit_test", "resource_type:test")
DAY = date(2016, 4, 20)
WINDOW = ("2016-04-01", "2016-06-01")
LATE = "instrument_id = 1 and ts = '2016-04-20 17:32+00'"
# 13:32 New York: minute 242 of the session that opened 09:30, 17:32 UTC.
LABELS = {
    "5m": "2016-04-20 17:30:00+00",
    "15m": "2016-04-20 17:30:00+00",
    "30m": "2016-04-20 17:30:00+00",
    "1h": "2016-04-20 17:30:00+00",
    "4h": "2016-04-20 17:30:00+00",
    "1d": "2016-04-20 04:00:00+00",
    "1w": "2016-04-18 04:00:00+00",
}
TABLES = {f"marts.candles_{frame}": "true" for frame in FRAMES} | {
    "serving.candles_v1": "true",
    "marts.asked_sessions": "true",
    "marts.session_holes": "true",
    "marts.quality_scores_daily": "true",
    "serving.quality_v1": "true",
}


def alone(model: str) -> tuple[str, ...]:
    # Unit tests bring a window of their own.
    return ("--select", model, "--exclude", "resource_type:unit_test")


def versions(mart: Any) -> dict[tuple[str, str], str]:
    """Which transaction wrote which row, by table and row as text: a row written anew has another."""
    return {
        (table, row): xmin
        for table in TABLES
        for row, xmin in mart.rows(f"select t::text, xmin::text from {table} as t")
    }


def written(mart: Any, before: dict[tuple[str, str], str]) -> dict[str, int]:
    """Rows that the transactions since `before` wrote, by table."""
    after = versions(mart)
    tables = [table for (table, row), xmin in after.items() if before.get((table, row)) != xmin]
    return {table: tables.count(table) for table in TABLES if table in tables}


def gone(mart: Any, before: dict[tuple[str, str], str]) -> dict[str, int]:
    tables = [table for table, row in set(before) - set(versions(mart))]
    return {table: tables.count(table) for table in TABLES if table in tables}


@pytest.fixture
def ingest(mart: Any) -> Iterator[Any]:
    """Return a function that brings changed bars of AAPL in as a new ingest; afterwards the old ones are back."""
    numbers = iter(range(1000, 2000))
    (first,) = mart.rows("select coalesce(max(ingest_id), 1000) from ops.bar_sessions")

    def bring(*statements: str, first_day: date = DAY, last_day: date = DAY) -> None:
        number = first[0] + next(numbers)
        mart.do(
            "insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from) "
            f"overriding system value values ({number}, 0, 1, 'tape', '{{}}', '', now())",
            *(statement.replace(":ingest", str(number)) for statement in statements),
        )
        mart.note_sessions("AAPL", first_day, last_day, ingest=number)

    yield bring
    mart.restore()


def test_run_over_unchanged_bars_writes_no_row(mart: Any) -> None:
    before = versions(mart)
    mart.build(*SELECT)
    assert written(mart, before) == {}
    assert gone(mart, before) == {}


def test_late_bar_writes_exactly_its_seven_candles(mart: Any, ingest: Any) -> None:
    ingest(f"update raw.massive__bars_1m set high = 999, volume = volume + 1, ingest_id = :ingest where {LATE}")
    before = versions(mart)
    mart.build(*SELECT, window=WINDOW)
    seven = {f"marts.candles_{frame}": 1 for frame in FRAMES} | {"serving.candles_v1": 7}
    assert written(mart, before) == seven
    assert gone(mart, before) == seven
    for frame, label in LABELS.items():
        assert mart.rows(f"select ts::text from marts.candles_{frame} where high = 999") == [(label,)], frame


def test_model_built_alone_stays_due_downstream(mart: Any, ingest: Any) -> None:
    ingest(f"update raw.massive__bars_1m set high = 998, ingest_id = :ingest where {LATE}")
    highs = "select max(high) from marts.candles_{} where instrument_id = 1"
    mart.build(*alone("candles_15m"), window=WINDOW)
    assert mart.rows(highs.format("15m"))[0][0] < 998
    mart.build(*alone("candles_5m"), window=WINDOW)
    assert mart.rows(highs.format("5m")) == [(998.0,)]
    mart.build(*SELECT, window=WINDOW)
    for frame in FRAMES:
        assert mart.rows(highs.format(frame)) == [(998.0,)], frame


def test_session_outside_the_window_stays_due(mart: Any, ingest: Any) -> None:
    ingest(f"update raw.massive__bars_1m set high = 997, ingest_id = :ingest where {LATE}")
    highs = "select count(*) from serving.candles_v1 where high = 997"
    mart.build(*SELECT, window=("2016-05-01", "2016-06-01"))
    assert mart.rows(highs) == [(0,)]
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(highs) == [(7,)]


def test_withdrawn_session_leaves_no_candle(mart: Any, ingest: Any) -> None:
    counts = " union all ".join(
        f"select count(*) from marts.candles_{frame} where instrument_id = 1 and session = '{DAY}'"
        for frame in FRAMES
        if frame != "1w"
    )
    ingest("delete from raw.massive__bars_1m where instrument_id = 1 and ts::date = '2016-04-20'")
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(counts) == [(0,)] * 6
    served = "select count(*) from serving.candles_v1 where symbol = 'AAPL' and session = %s and timeframe <> '1w'"
    assert mart.rows(served, DAY) == [(0,)]
    week = "select bar_count, expected_count from marts.candles_1w where instrument_id = 1 and session = '2016-04-18'"
    assert mart.rows(week) == [(4 * 390, 5 * 390)]


def test_candles_not_final_are_looked_at_again(mart: Any, ingest: Any) -> None:
    ingest(f"update raw.massive__bars_1m set ingest_id = :ingest where {LATE}")
    final = "select is_final from marts.candles_{} where instrument_id = 1 and ts = %s"
    # 14:00 New York on the day itself: candles that ended by 13:45 are final, later ones are not.
    mart.build(*SELECT, window=WINDOW, as_of="2016-04-20 18:00+00")
    states = {frame: mart.rows(final.format(frame), label)[0][0] for frame, label in LABELS.items()}
    assert states == {"5m": True, "15m": True, "30m": False, "1h": False, "4h": False, "1d": False, "1w": False}
    # 11:00 New York the day after: the day is final, its week is not.
    mart.build(*SELECT, window=WINDOW, as_of="2016-04-21 15:00+00")
    states = {frame: mart.rows(final.format(frame), label)[0][0] for frame, label in LABELS.items()}
    assert states == dict.fromkeys(FRAMES, True) | {"1w": False}
    before = versions(mart)
    mart.build(*SELECT, window=WINDOW, as_of="2016-04-23 15:00+00")
    assert written(mart, before) == {"marts.candles_1w": 1, "serving.candles_v1": 1}


def test_early_close_found_later_shortens_its_candles(mart: Any) -> None:
    hours = "update ops.sessions set close = '2016-04-20 {}+00' where calendar = 'NYSE' and session = '2016-04-20'"
    last = (
        "select max(ts)::text, sum(bar_count) from marts.candles_5m where session = '2016-04-20' and instrument_id = 1"
    )
    before = versions(mart)
    mart.do(hours.format("17:00"))
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(last) == [("2016-04-20 16:55:00+00", 210)]
    mart.do(hours.format("20:00"))
    mart.build(*SELECT, window=WINDOW)
    assert set(versions(mart)) == set(before)


def test_day_bar_that_comes_later_becomes_the_official_close(mart: Any) -> None:
    closes = "select close, close_official from marts.candles_1d where instrument_id = 2 and session = '2016-04-20'"
    (own,) = mart.rows(closes)
    assert own[1] is None
    mart.do(
        "insert into raw.massive__bars_1d (ts, open, high, low, close, volume, instrument_id, ingest_id, reason) "
        "values ('2016-04-20 04:00+00', 55, 56, 54, 55.5, 1000, 2, 99, 'first')"
    )
    mart.note_sessions("MSFT", DAY, DAY, ingest=99, timeframe="1d")
    before = versions(mart)
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(closes) == [(own[0], 55.5)]
    # The day bar itself is served as well, and its minutes have something to be compared with.
    assert written(mart, before) == {
        "marts.candles_1d": 1,
        "serving.candles_v1": 1,
        "marts.quality_scores_daily": 1,
        "serving.quality_v1": 1,
    }
    mart.do(
        "delete from raw.massive__bars_1d where instrument_id = 2",
        "delete from ops.bar_sessions where instrument_id = 2 and timeframe = '1d'",
    )
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(closes) == [own]


def test_new_score_reaches_its_candles(mart: Any) -> None:
    scores = "select distinct quality_score from serving.candles_v1 where symbol = 'MSFT' and session = '2016-04-20'"
    mart.find("MSFT", "2016-04-20")
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(scores) == [(0.5,)]
    mart.do("delete from ops.findings")
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(scores) == [(1.0,)]


def test_decided_finding_costs_no_more_and_only_its_session_is_written(mart: Any) -> None:
    decided = {
        "2016-04-18": "state = 'dismissed', decided_at = now()",
        "2016-04-19": "verdict = 'true_move'",
        "2016-04-20": "state = 'repaired', decided_at = now()",
        "2016-04-21": "severity = 'info'",
        "2016-04-22": "term = 'none'",
    }
    days = ", ".join(f"'{day}'" for day in (*decided, "2016-04-25"))
    scores = f"select score from marts.quality_scores_daily where instrument_id = 2 and session in ({days}) order by 1"
    for day in (*decided, "2016-04-25"):
        mart.find("MSFT", day)
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(scores) == [(0.5,)] * 6
    before = versions(mart)
    mart.do(*(f"update ops.findings set {change} where session = '{day}'" for day, change in decided.items()))
    mart.build(*SELECT, window=WINDOW)
    # The session nobody decided about keeps its finding.
    assert mart.rows(scores) == [(0.5,), *[(1.0,)] * 5]
    # 5m 78, 15m 26, 30m 13, 1h 7, 4h 2, 1d 1 of each session and the one week carry the score.
    assert written(mart, before) == {
        "marts.quality_scores_daily": 5,
        "serving.quality_v1": 5,
        "serving.candles_v1": 5 * (78 + 26 + 13 + 7 + 2 + 1) + 1,
    }
    mart.restore()


def test_finding_about_three_sessions_lowers_all_of_them(mart: Any) -> None:
    scores = (
        "select session::text from marts.quality_scores_daily "
        "where instrument_id = 2 and timeframe = '1m' and score < 1 order by 1"
    )
    span = {"ts_end": "2016-04-22 16:00+00", "last_session": "2016-04-22"}
    mart.find("MSFT", "2016-04-20", severity="minor", **span)
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(scores) == [("2016-04-20",), ("2016-04-21",), ("2016-04-22",)]
    mart.do("delete from ops.findings")
    mart.build(*SELECT, window=WINDOW)
    assert mart.rows(scores) == []


def test_finding_about_a_venue_costs_nobody(mart: Any) -> None:
    before = versions(mart)
    mart.find("MSFT", "2016-04-20", instrument_id=None, check=27, rule="venue")
    mart.build(*SELECT, window=WINDOW)
    assert written(mart, before) == {}
    mart.do("delete from ops.findings")


def test_table_without_a_column_gains_it_and_is_filled(mart: Any) -> None:
    totals = "select instrument_id, session, volume_total, close_official from marts.candles_1d order by 1, 2"
    before = mart.rows(totals)
    mart.do("alter table marts.candles_1d drop column volume_total, drop column close_official")
    mart.build(*alone("candles_1d"), window=("2016-04-20", "2016-04-21"))
    filled = "select distinct session::text from marts.candles_1d where volume_total is not null"
    assert mart.rows(filled) == [("2016-04-20",)]
    mart.build(*alone("candles_1d"))
    assert mart.rows(totals) == before


def test_column_no_model_knows_is_refused(mart: Any) -> None:
    mart.do("alter table marts.candles_4h add column surprise integer")
    with pytest.raises(AssertionError, match="surprise"):
        mart.build(*alone("candles_4h"), window=WINDOW)
    mart.do("alter table marts.candles_4h drop column surprise")


def test_volume_total_counts_extended_hours(mart: Any) -> None:
    # Written with the tape alone: 04:00 to 20:00 New York in January is 09:00 to 01:00 UTC.
    totals = dict(mart.rows("select session, volume_total from marts.candles_1d where instrument_id = 3"))
    expected: dict[date, float] = {}
    for ts, volume in mart.minutes["SPY"].select("ts", "volume").iter_rows():
        day = (ts - timedelta(hours=9)).date()
        expected[day] = expected.get(day, 0.0) + volume
    assert totals == expected
    assert mart.rows("select count(*) from marts.candles_1d where instrument_id = 3 and volume_total > volume") == [
        (20,)
    ]


def test_unit_tests_pass_beside_built_models(mart: Any) -> None:
    mart.build("--select", "test_type:unit")


def test_changed_ticker_is_carried_without_a_changed_bar(mart: Any) -> None:
    counts = "select count(*) filter (where symbol = 'MSFT'), count(*) filter (where symbol = 'MSFX') from serving.{}"
    before = {name: mart.rows(counts.format(name))[0] for name in ("candles_v1", "quality_v1")}
    mart.do(
        "update ops.instrument_tickers set valid_to = '2016-04-20' where ticker = 'MSFT'",
        "insert into ops.instrument_tickers values ('MSFX', '2016-04-20', null, 2, 'tape')",
    )
    mart.build(*SELECT, window=("2016-04-20", "2016-04-21"))
    for name, (held, none) in before.items():
        assert mart.rows(counts.format(name)) == [(none, held)], name
    mart.do(
        "delete from ops.instrument_tickers where ticker = 'MSFX'",
        "update ops.instrument_tickers set valid_to = null where ticker = 'MSFT'",
    )
    mart.build(*SELECT, window=("2016-04-20", "2016-04-21"))
    assert {name: mart.rows(counts.format(name))[0] for name in before} == before
