"""Coverage and the gap manifest against the tapes themselves. Every test leaves the warehouse as it found it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from chandlery.market.calendar import SESSION_SCHEMA, sessions

BITCOIN, AAPL, MSFT, CLOCK = 5, 1, 2, 6
SELECT = ("--select", "marts", "quality_v1", "--exclude", "resource_type:unit_test")
WINDOW = ("2016-04-18", "2016-04-25")
BOEING = 70


def gaps(mart: Any, instrument: int, timeframe: str) -> list[tuple[datetime, datetime, int, str]]:
    return mart.rows(
        "select ts, ts_end, missing_count::int, reason from marts.gaps "
        "where instrument_id = %s and timeframe = %s order by ts",
        instrument,
        timeframe,
    )


def reasons(mart: Any, instrument: int, timeframe: str) -> dict[str | None, int]:
    query = (
        "select reason, count(*) from marts.coverage_daily where instrument_id = %s and timeframe = %s group by reason"
    )
    return dict(mart.rows(query, instrument, timeframe))


def test_bitcoin_manifest_is_the_sixteen_holes_between_its_rows(mart: Any) -> None:
    stamps = mart.minutes["X:BTCUSD"]["ts"].sort().to_list()
    minute = timedelta(minutes=1)
    between = [
        (before + minute, after, (after - before) // minute - 1)
        for before, after in pairwise(stamps)
        if after - before > minute
    ]
    found = gaps(mart, BITCOIN, "1m")
    assert [row[:3] for row in found] == between
    # As known_defects.json has them, given there as spacings: the missing bars are one fewer each.
    sizes = sorted((row[2] for row in found), reverse=True)
    assert sizes[:5] == [30_292 - 1, 15_830 - 1, 1_501 - 1, 1_392 - 1, 1_082 - 1]
    assert len(sizes) == 16
    assert set(sizes[5:]) <= {1, 2, 3}
    assert {row[3] for row in found} == {"unknown"}


def test_bitcoin_minutes_before_and_after_all_bars_are_no_gap(mart: Any) -> None:
    stamps = mart.minutes["X:BTCUSD"]["ts"].sort()
    first, last = stamps[0], stamps[-1]
    counted = dict(
        mart.rows(
            "select reason, sum(missing_count)::int from intermediate.int_judged_holes "
            "where instrument_id = %s and reason <> 'unknown' group by reason",
            BITCOIN,
        )
    )
    before = (first - datetime(2016, 2, 9, tzinfo=UTC)) // timedelta(minutes=1)
    after = (datetime(2016, 4, 20, tzinfo=UTC) - last) // timedelta(minutes=1) - 1
    assert counted == {"not_listed": before, "after_last": after}


def test_missing_days_are_the_two_that_the_tape_lacks(mart: Any) -> None:
    found = gaps(mart, AAPL, "1d")
    midnight = [datetime(1981, 8, 10, 4, tzinfo=UTC), datetime(1983, 9, 23, 4, tzinfo=UTC)]
    assert found == [(ts, ts + timedelta(days=1), 1, "unknown") for ts in midnight]


def test_complete_tapes_have_no_gap(mart: Any) -> None:
    for symbol in (1, 2, 3, 4):
        assert gaps(mart, symbol, "1m") == []


def test_whole_sessions_without_bars_are_one_gap_with_the_ends_of_their_neighbours(mart: Any) -> None:
    # CLOCK has minutes from 13:00 to 20:40 UTC on 2012-11-02, of a session that lasts until 20:00, and then from 14:00
    # on 2012-11-05 on, the next session: nothing is missing in between but every 31st minute.
    minutes = mart.minutes["CLOCK"]
    days = minutes["ts"].dt.convert_time_zone("America/New_York").dt.date().unique().sort().to_list()
    assert days[1:3] == [date(2012, 11, 5), date(2012, 12, 24)]
    long = [row for row in gaps(mart, CLOCK, "1m") if row[2] > 300]
    between = sessions("NYSE", date(2012, 11, 6), date(2012, 12, 24))
    expected = int(between.select((pl.col("close") - pl.col("open")).dt.total_minutes().sum()).item())
    # 2012-11-05 14:00 + 460 minutes = 21:40 UTC, past the close; 2012-12-24 opens with its first regular minute.
    assert (long[0][0].date(), long[0][2]) == (date(2012, 11, 6), expected)


def test_expected_is_what_is_there_and_what_is_missing(mart: Any) -> None:
    wrong = (
        "select count(*) from marts.coverage_daily "
        "where expected_count <> present_count + filler_count + missing_count or held_count > missing_count"
    )
    assert mart.rows(wrong) == [(0,)]
    unequal = (
        "select count(*) from (select instrument_id, timeframe, session, sum(missing_count) as missing_count "
        "from intermediate.int_judged_holes group by 1, 2, 3) as holes "
        "full join (select * from marts.coverage_daily where missing_count > 0) as days "
        "using (instrument_id, timeframe, session) "
        "where holes.missing_count is distinct from days.missing_count"
    )
    assert mart.rows(unequal) == [(0,)]
    assert mart.rows("select count(*) from marts.coverage_daily where missing_count > 0 and reason is null") == [(0,)]


def test_coverage_of_bitcoin_counts_fillers_apart(mart: Any) -> None:
    bars = mart.minutes["X:BTCUSD"]
    sums = mart.rows(
        "select sum(expected_count)::int, sum(present_count)::int, sum(filler_count)::int, sum(missing_count)::int "
        "from marts.coverage_daily where instrument_id = %s and timeframe = '1m'",
        BITCOIN,
    )
    assert sums == [(71 * 1440, bars.height - 18_362, 18_362, 71 * 1440 - bars.height)]


@pytest.fixture
def listed(mart: Any) -> Iterator[None]:
    """MSFT listed from 2016-04-01 to 2016-05-20; nothing is built."""
    mart.do(
        f"update ops.instruments set listed_on = '2016-04-01', delisted_on = '2016-05-20' where instrument_id = {MSFT}"
    )
    yield
    mart.do(f"update ops.instruments set listed_on = null, delisted_on = null where instrument_id = {MSFT}")


@pytest.mark.usefixtures("listed")
def test_sessions_nobody_asked_for_are_counted_from_listing_to_delisting(mart: Any) -> None:
    # Asked for: 2016-04-15 to 05-13, 21 sessions. April 1 to 14 are 10 sessions, May 16 to 19 are 4.
    assert reasons(mart, MSFT, "1m") == {None: 21, "not_asked": 14}
    first, second = gaps(mart, MSFT, "1m")
    assert (first[2:], second[2:]) == ((10 * 390, "not_asked"), (4 * 390, "not_asked"))
    assert (first[0], first[1]) == (datetime(2016, 4, 1, 13, 30, tzinfo=UTC), datetime(2016, 4, 14, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"verdict": "suspected"}, "unknown"),
        ({"verdict": "confirmed"}, "suspected_outage"),
        ({"verdict": "explained"}, "explained"),
        ({"verdict": "confirmed", "state": "dismissed"}, "unknown"),
        ({"verdict": "confirmed", "check": 9}, "unknown"),
        ({"verdict": "confirmed", "session": "1983-09-23", "last_session": "1983-09-23"}, "unknown"),
        (
            {"verdict": "suspected", "check": 28, "instrument_id": None, "ts_end": "1981-08-10 20:00+00"},
            "suspected_outage",
        ),
    ],
)
def test_gap_is_called_an_outage_on_evidence_only(mart: Any, values: dict[str, object], reason: str) -> None:
    about = {
        "session": "1981-08-10",
        "timeframe": "1d",
        "ts": "1981-08-10 04:00+00",
        "check": 8,
        "term": "completeness",
    }
    mart.find("AAPL", **about | values)
    try:
        assert gaps(mart, AAPL, "1d")[0][3] == reason
        assert mart.rows(
            "select reason from marts.coverage_daily where instrument_id = 1 and timeframe = '1d' "
            "and session = '1981-08-10'"
        ) == [(reason,)]
        numbers = mart.rows("select finding_id from marts.gaps where instrument_id = 1 and ts < '1982-01-01'")
        is_about_it = values.get("check") != 9 and values.get("state") is None and "session" not in values
        assert (numbers[0][0] is not None) is is_about_it
    finally:
        mart.do("delete from ops.findings")


def test_hole_with_held_and_halted_minutes_is_told_apart(mart: Any) -> None:
    span = f"instrument_id = {MSFT} and ts >= '2016-04-20 14:00+00' and ts < '2016-04-20 14:10+00'"
    mart.do(
        f"create table raw.kept as select * from raw.massive__bars_1m where {span}",
        f"delete from raw.massive__bars_1m where {span}",
        "insert into raw.massive__quarantine "
        "(window_id, seq, instrument_id, timeframe, ts, open, high, low, close, volume, rules) "
        f"values (1, 1, {MSFT}, '1m', '2016-04-20 14:03+00', 1, 0, 1, 1, 1, '{{x}}')",
        "insert into ops.session_exceptions (calendar, instrument_id, kind, starts_at, ends_at, reason, source) "
        f"values ('NYSE', {MSFT}, 'halt', '2016-04-20 14:05+00', '2016-04-20 14:07+00', 'news', 'test')",
    )
    mart.note_sessions("MSFT", date(2016, 4, 20), date(2016, 4, 20), ingest=2)
    mart.do("update ops.bar_sessions set ingest_id = 77 where instrument_id = 2 and session = '2016-04-20'")
    mart.build(*SELECT, window=WINDOW)
    at = datetime(2016, 4, 20, 14, tzinfo=UTC)
    assert [((row[0] - at).seconds // 60, *row[2:]) for row in gaps(mart, MSFT, "1m")] == [
        (0, 3, "unknown"),
        (3, 1, "held"),
        (4, 1, "unknown"),
        (5, 2, "halt"),
        (7, 3, "unknown"),
    ]
    score = "select expected_count, bar_count, held_count from marts.quality_scores_daily where instrument_id = 2 "
    assert mart.rows(score + "and session = '2016-04-20'") == [(388, 380, 1)]
    mart.do(
        "insert into raw.massive__bars_1m select * from raw.kept",
        "drop table raw.kept",
        "delete from raw.massive__quarantine",
        "delete from ops.session_exceptions",
    )
    mart.note_sessions("MSFT", date(2016, 4, 20), date(2016, 4, 20), ingest=2)
    mart.build(*SELECT, window=WINDOW)
    assert gaps(mart, MSFT, "1m") == []


def test_phantom_days_of_another_calendar_are_no_gaps(mart: Any, request: pytest.FixtureRequest) -> None:
    # exchange_calendars has 68 sessions from 1962-02-22 to 1969-12-25 on which the exchange was closed.
    root = request.config.rootpath.parent / "shared" / "data" / "tapes"
    tape = pl.read_parquet(root / "us_daily" / "BA.parquet").filter(pl.col("session") < date(1970, 1, 1))
    midnight = pl.col("session").cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York")
    bars = tape.select("open", "high", "low", "close", "volume", ts=midnight.dt.convert_time_zone("UTC"))
    mart.copy("ops.sessions", sessions("NYSE", date(1962, 1, 1), date(1970, 1, 1)).select(*SESSION_SCHEMA))
    mart.do(
        "insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value "
        f"values ({BOEING}, 'stocks', 'NYSE')",
        f"insert into ops.instrument_tickers values ('BA', '1962-01-01', null, {BOEING}, 'tape')",
        "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status, source) "
        f"values ({BOEING}, '1d', '1962-01-02', '1970-01-01', 'published', 'wiki')",
    )
    fixed = {"instrument_id": pl.lit(BOEING), "ingest_id": pl.lit(99), "reason": pl.lit("first")}
    mart.copy("raw.massive__bars_1d", bars.with_columns(**fixed))
    try:
        mart.build("--select", "asked_sessions", "--exclude", "test_type:unit", window=("1962-01-01", "1970-01-01"))
        assert reasons(mart, BOEING, "1d") == {None: tape.height}
        assert gaps(mart, BOEING, "1d") == []
    finally:
        mine = f"where instrument_id = {BOEING}"
        mart.do(
            f"delete from marts.asked_sessions {mine}",
            f"delete from marts.candle_builds {mine}",
            f"delete from raw.massive__bars_1d {mine}",
            f"delete from ops.ingest_windows {mine}",
            f"delete from ops.instrument_tickers {mine}",
            f"delete from ops.instruments {mine}",
            "delete from ops.sessions where calendar = 'NYSE' and session < '1970-01-01'",
        )
