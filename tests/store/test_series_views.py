"""What a judgement is made from, read in one snapshot: bars, sessions of the other timeframe, versions, witnesses."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chandlery.errors import DatabaseDown
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.fixed_reads import read_fixed
from chandlery.store.history import present_bars
from chandlery.store.judging import note_judged, read_ledger
from chandlery.store.series_views import (
    SeriesSpan,
    day_sessions,
    minute_sessions,
    revisions,
    series_bars,
)
from chandlery.store.sessions import replace_sessions, sessions_between
from chandlery.store.universe import register_instrument
from chandlery.store.venue_views import (
    calendar_sessions,
    minute_stamps,
    venue_closes,
    venue_counts,
    venue_members,
)
from chandlery.store.warehouse import Warehouse
from chandlery.store.witnesses import note_witness_source, witness_sessions, write_witness

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

MONDAY, TUESDAY = date(2024, 1, 8), date(2024, 1, 9)
OPEN = datetime(2024, 1, 8, 14, 30, tzinfo=UTC)
_NUMBERS = count(1)


@pytest.fixture
def stock(warehouse: Warehouse) -> Instrument:
    with warehouse.write() as connection:
        hours = sessions("NYSE", date(2024, 1, 1), date(2024, 2, 1))
        replace_sessions(connection, hours, calendar="NYSE", start=date(2024, 1, 1), end=date(2024, 2, 1))
        return register_instrument(
            connection,
            symbol=f"V{next(_NUMBERS)}",
            asset_class=AssetClass.STOCKS,
            calendar="NYSE",
            name=None,
            source="replay",
        )


def put(
    tell: Tell, warehouse: Warehouse, stock: Instrument, ts: datetime, close: float, *, ingest: int = 1, **facts: Any
) -> None:
    """Store a bar whose other values follow from its close; `table` and `superseded_by` make it one of history."""
    table = facts.get("table", "massive__bars_1m")
    ended = facts.get("superseded_by")
    names = "ts, open, high, low, close, volume, vwap, trade_count, instrument_id, ingest_id, reason"
    values = (
        f"'{ts.isoformat()}', {close - 1}, {close + 2}, {close - 2}, {close}, {close * 10}, "
        f"{facts.get('vwap', 'null')}, {facts.get('trades', 'null')}, {stock.instrument_id}, {ingest}, "
        f"'{facts.get('reason', 'first')}'"
    )
    more = ("", "") if ended is None else (", superseded_by", f", {ended}")
    tell(warehouse, f"insert into raw.{table} ({names}{more[0]}) values ({values}{more[1]})")


def ingested(tell: Tell, warehouse: Warehouse, *numbers: int) -> None:
    for number in numbers:
        tell(
            warehouse,
            "insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from) "
            f"overriding system value values ({number}, 1, 1, 'tape', '{{}}', '', "
            f"timestamptz '2024-02-01 00:00+00' + {number} * interval '1 minute') on conflict do nothing",
        )


def day_ts(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 5, tzinfo=UTC)


def test_bars_are_those_of_the_plain_read(warehouse: Warehouse, stock: Instrument, tell: Tell) -> None:
    put(tell, warehouse, stock, OPEN, 10.125)
    put(tell, warehouse, stock, OPEN + timedelta(minutes=1), 0.1, vwap=0.3, trades=7)
    put(tell, warehouse, stock, OPEN + timedelta(minutes=2), 12.0, trades=9_000_000_000)
    put(tell, warehouse, stock, OPEN + timedelta(days=1), 13.0, vwap=2.5)
    span = SeriesSpan(stock, Timeframe.M1, MONDAY, MONDAY)
    with warehouse.read() as connection:
        read = series_bars(connection, span)
        plain = present_bars(connection, stock.instrument_id, Timeframe.M1, span.since, span.until)
    assert_frame_equal(read, plain, check_exact=True)
    assert read["trade_count"].to_list() == [None, 7, 9_000_000_000]


def test_series_without_bars_is_an_empty_frame(warehouse: Warehouse, stock: Instrument) -> None:
    with warehouse.read() as connection:
        assert series_bars(connection, SeriesSpan(stock, Timeframe.M1, MONDAY, MONDAY)).schema == BAR_SCHEMA


def test_span_runs_from_local_midnight_to_local_midnight(stock: Instrument) -> None:
    span = SeriesSpan(stock, Timeframe.D1, MONDAY, TUESDAY)
    assert (span.since, span.until) == (day_ts(MONDAY), day_ts(date(2024, 1, 10)))


def test_every_kind_of_column_survives_the_way(warehouse: Warehouse) -> None:
    schema = {
        "f": pl.Float64,
        "i": pl.Int64,
        "s": pl.Int32,
        "b": pl.Boolean,
        "d": pl.Date,
        "t": TS,
        "k": pl.String,
        "n": pl.Date,
    }
    query = (
        "select 'nan'::float8 as f, -5::bigint as i, 7::int as s, true as b, date '1962-01-02' as d, "
        "timestamptz '1969-12-31 23:59:59.5+00' as t, md5('x') as k, null::date as n union all "
        "select 1.5, 9223372036854775807, -1, false, date '2026-11-20', timestamptz '2026-01-01 00:00+00', md5('y'), "
        "date '2000-01-01' where 1 = %(one)s"
    )
    with warehouse.read() as connection:
        read = read_fixed(connection, query, {"one": 1}, schema, optional=("n",)).sort("i")
    assert read.drop("f").rows() == [
        (-5, 7, True, date(1962, 1, 2), datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC), MD5_X, None),
        (2**63 - 1, -1, False, date(2026, 11, 20), datetime(2026, 1, 1, tzinfo=UTC), MD5_Y, date(2000, 1, 1)),
    ]
    assert read["f"].is_nan().to_list() == [True, False]


# `printf x | md5sum` and the same of y.
MD5_X, MD5_Y = "9dd4e461268c8034f5c8564e155c67a6", "415290769594460e2e485922904f345d"


def test_null_where_none_may_be_is_refused_not_dropped(warehouse: Warehouse) -> None:
    query = "select 1 as i union all select null"
    with warehouse.read() as connection, pytest.raises(ValueError, match="2 rows of i were read, and some hold nulls"):
        read_fixed(connection, query, {}, {"i": pl.Int32})


def test_query_without_rows_is_an_empty_frame(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        read = read_fixed(connection, "select 1 as i where false", {}, {"i": pl.Int32})
    assert (read.height, read.schema) == (0, {"i": pl.Int32})


def test_lost_connection_is_an_error_of_ours(warehouse: Warehouse) -> None:
    with warehouse.read() as connection, pytest.raises(DatabaseDown, match="did not answer"):
        read_fixed(connection, "select pg_terminate_backend(pg_backend_pid())::int as i", {}, {"i": pl.Int32})


def test_days_and_minutes_show_as_sessions(warehouse: Warehouse, stock: Instrument, tell: Tell) -> None:
    put(tell, warehouse, stock, day_ts(MONDAY), 50.0, table="massive__bars_1d")
    # 07:00 New York, the first and last regular minute, 17:00.
    for hours, close in ((-2.5, 90.0), (0, 10.0), (6.5 - 1 / 60, 14.0), (7.5, 1.0)):
        put(tell, warehouse, stock, OPEN + timedelta(hours=hours), close)
    span = SeriesSpan(stock, Timeframe.D1, MONDAY, TUESDAY)
    with warehouse.read() as connection:
        days = day_sessions(connection, span)
        regular, extended = minute_sessions(connection, span, calendar_sessions(connection, "NYSE"))
    assert days.rows() == [(MONDAY, 49.0, 52.0, 48.0, 50.0, 500.0, 1)]
    assert regular.rows() == [(MONDAY, 9.0, 16.0, 8.0, 14.0, 240.0, 2)]
    assert extended.rows() == [(MONDAY, 89.0, 92.0, -1.0, 1.0, 1150.0, 4)]


def test_calendar_is_read_as_it_was_written(warehouse: Warehouse, stock: Instrument) -> None:
    with warehouse.read() as connection:
        read = calendar_sessions(connection, stock.calendar)
    assert_frame_equal(read, sessions_between(warehouse, "NYSE", date(1960, 1, 1), date(2030, 1, 1)))


def test_version_that_replaced_another_is_a_revision(warehouse: Warehouse, stock: Instrument, tell: Tell) -> None:
    ingested(tell, warehouse, 1, 2, 3)
    history = {"table": "massive__bars_1m_history"}
    put(tell, warehouse, stock, OPEN, 10.0, ingest=1, superseded_by=2, **history)
    put(tell, warehouse, stock, OPEN, 11.0, ingest=2, superseded_by=3, reason="late_trade", **history)
    put(tell, warehouse, stock, OPEN, 12.0, ingest=3, reason="repair")
    put(tell, warehouse, stock, OPEN + timedelta(minutes=1), 20.0, ingest=1, superseded_by=2, **history)
    with warehouse.read() as connection:
        read = revisions(connection, SeriesSpan(stock, Timeframe.M1, MONDAY, MONDAY))
    minute = datetime(2024, 2, 1, tzinfo=UTC)
    columns = ("ts", "reason", "known_from", "old_close", "new_close", "old_volume", "new_volume")
    assert read.select(columns).rows() == [
        (OPEN, "late_trade", minute + timedelta(minutes=2), 10.0, 11.0, 100.0, 110.0),
        (OPEN, "repair", minute + timedelta(minutes=3), 11.0, 12.0, 110.0, 120.0),
    ], "the withdrawn one has no successor"


def witness(*closes: float, first: date = MONDAY) -> pl.DataFrame:
    rows = [
        (day_ts(first + timedelta(days=place)), close, close, close, close, 100.0, None, None)
        for place, close in enumerate(closes)
    ]
    return pl.DataFrame(rows, schema=dict(BAR_SCHEMA), orient="row")


def test_witness_is_written_once_and_changed_where_it_differs(warehouse: Warehouse, stock: Instrument) -> None:
    facts: dict[str, Any] = {"instrument_id": stock.instrument_id, "timeframe": Timeframe.D1, "source": "yahoo"}
    with warehouse.write() as connection:
        assert write_witness(connection, witness(10.0, 11.0, float("nan")), basis_on=TUESDAY, **facts) == 2
        assert write_witness(connection, witness(10.0, 11.0), basis_on=TUESDAY, **facts) == 0
        assert write_witness(connection, witness(10.0, 12.0), basis_on=TUESDAY, **facts) == 1
    with warehouse.read() as connection:
        read = witness_sessions(connection, stock, MONDAY, TUESDAY)
    assert list(read) == ["yahoo"]
    assert read["yahoo"].rows() == [
        (MONDAY, 10.0, 10.0, 10.0, 10.0, 100.0, 1, TUESDAY),
        (TUESDAY, 12.0, 12.0, 12.0, 12.0, 100.0, 1, TUESDAY),
    ]


def test_word_about_a_source_is_kept_and_written_again_only_when_it_changes(
    warehouse: Warehouse, stock: Instrument, ask: Ask
) -> None:
    facts: dict[str, Any] = {"instrument_id": stock.instrument_id, "timeframe": Timeframe.D1, "source": "yahoo"}
    with warehouse.write() as connection:
        assert note_witness_source(connection, is_independent=False, sessions=60, **facts)
        assert not note_witness_source(connection, is_independent=False, sessions=70, **facts)
        assert note_witness_source(connection, is_independent=True, sessions=80, **facts)
    query = "select timeframe, source, is_independent, sessions from ops.witness_sources where instrument_id = %s"
    assert ask(warehouse, query, stock.instrument_id) == [("1d", "yahoo", True, 80)]


def test_sources_testify_each_for_itself(warehouse: Warehouse, stock: Instrument) -> None:
    facts: dict[str, Any] = {"instrument_id": stock.instrument_id, "timeframe": Timeframe.D1}
    with warehouse.write() as connection:
        write_witness(connection, witness(10.0), source="b", basis_on=None, **facts)
        write_witness(connection, witness(20.0), source="a", basis_on=None, **facts)
    with warehouse.read() as connection:
        read = witness_sessions(connection, stock, MONDAY, MONDAY)
    assert [(name, frame["close"][0], frame["basis_on"][0]) for name, frame in read.items()] == [
        ("a", 20.0, None),
        ("b", 10.0, None),
    ]


def noted(tell: Tell, warehouse: Warehouse, stock: Instrument, timeframe: str, *days: date, bars: int = 1) -> None:
    for day in days:
        tell(
            warehouse,
            "insert into ops.bar_sessions (instrument_id, timeframe, session, bars, first_ts, last_ts, ingest_id, "
            f"first_ingest_id) values ({stock.instrument_id}, '{timeframe}', '{day}', {bars}, '{day}', '{day}', 1, 1)",
        )


def test_ledger_has_sixty_sessions_before_wherever_they_lie(
    warehouse: Warehouse, stock: Instrument, tell: Tell
) -> None:
    old = [date(2019, 1, 1) + timedelta(days=place) for place in range(70)]
    noted(tell, warehouse, stock, "1d", *old, MONDAY, TUESDAY)
    noted(tell, warehouse, stock, "1m", date(2018, 5, 1))
    with warehouse.read() as connection:
        ledger = read_ledger(connection, [stock.instrument_id], MONDAY, TUESDAY)
    days = ledger.sessions.filter(~pl.col("is_minute"))["session"].sort().to_list()
    assert days == [*old[-60:], MONDAY, TUESDAY], "and a few days after the last asked one"
    assert ledger.sessions.filter("is_minute")["session"].to_list() == [date(2018, 5, 1)]


def test_judged_sessions_are_noted_and_only_changed_keys_written(warehouse: Warehouse, stock: Instrument) -> None:
    number, keys = stock.instrument_id, [MD5_X, MD5_Y]
    with warehouse.write() as connection:
        assert note_judged(connection, number, "1d", [MONDAY, TUESDAY], keys) == 2
        assert note_judged(connection, number, "1d", [MONDAY, TUESDAY], keys) == 0
        assert note_judged(connection, number, "1d", [MONDAY, TUESDAY], [MD5_Y, MD5_Y]) == 1
    with warehouse.read() as connection:
        judged = read_ledger(connection, [number], MONDAY, date(2024, 1, 10)).judged
    assert judged.sort("session").select("session", "read_key").rows() == [(MONDAY, MD5_Y), (TUESDAY, MD5_Y)]


def test_ledger_of_nobody_is_empty(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        ledger = read_ledger(connection, [], MONDAY, TUESDAY)
    assert all(frame.is_empty() for frame in (ledger.sessions, ledger.judged, ledger.windows, ledger.held, ledger.told))


def test_ledger_knows_what_is_held_listed_and_published(warehouse: Warehouse, stock: Instrument, tell: Tell) -> None:
    number = stock.instrument_id
    window = 5_000_000 + number
    tell(
        warehouse,
        f"update ops.instruments set listed_on = '2020-01-02' where instrument_id = {number}",
        f"insert into ops.instrument_tickers values ('OLD{number}', '1899-01-01', '1900-01-01', {number}, 'replay')",
        "insert into ops.ingest_windows (window_id, instrument_id, timeframe, start_session, end_session, status) "
        f"overriding system value values ({window}, {number}, '1d', '{MONDAY}', '{TUESDAY}', 'published'), "
        f"({window} + 500000, {number}, '1d', '{TUESDAY}', '2024-01-10', 'quarantined'), "
        f"({window} + 600000, {number}, '1d', '2024-01-10', '2024-01-11', 'failed')",
        "insert into raw.massive__quarantine (window_id, seq, instrument_id, timeframe, ts, rules) "
        f"select {window}, seq, {number}, '1d', '{MONDAY}', '{{x}}' from generate_series(0, 1) as g (seq)",
        *(
            "insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from) "
            f"overriding system value values ({window} + {place}, {window}, 1, '{name}', '{{}}', '', now())"
            for place, name in enumerate(("wiki+yahoo", "repair:finer"))
        ),
    )
    with warehouse.read() as connection:
        ledger = read_ledger(connection, [number], MONDAY, TUESDAY)
    listing = ledger.listings[number]
    assert (listing.listed_on, listing.renames) == (date(2020, 1, 2), (date(1900, 1, 1),))
    assert ledger.publishers == {(number, "1d"): {"wiki", "yahoo"}}
    # Whatever the source answered was asked for, also where the answer is held; a window that failed never was.
    windows = ledger.windows.sort("start_session").select("is_minute", "start_session", "end_session")
    assert windows.rows() == [(False, MONDAY, TUESDAY), (False, TUESDAY, date(2024, 1, 10))]
    assert ledger.held.height == 1


def test_venue_counts_members_and_closes(warehouse: Warehouse, stock: Instrument, tell: Tell) -> None:
    number = stock.instrument_id
    ingested(tell, warehouse, 1)
    put(tell, warehouse, stock, day_ts(MONDAY), 50.0, table="massive__bars_1d")
    put(tell, warehouse, stock, OPEN + timedelta(hours=5), 77.0)
    put(tell, warehouse, stock, OPEN + timedelta(days=1, hours=5), 88.0)
    put(tell, warehouse, stock, OPEN + timedelta(days=1, hours=8), 99.0)
    noted(tell, warehouse, stock, "1m", MONDAY, TUESDAY, bars=3)
    tell(
        warehouse,
        "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status) "
        f"values ({number}, '1m', '{MONDAY}', '2024-01-10', 'published')",
    )
    with warehouse.read() as connection:
        counts = venue_counts(connection, [number], Timeframe.M1, MONDAY, TUESDAY)
        members = venue_members(connection, "NYSE", Timeframe.M1)
        closes = venue_closes(connection, [number], "NYSE", MONDAY, TUESDAY)
        stamps = minute_stamps(connection, number, OPEN, OPEN + timedelta(hours=6))
    known = datetime(2024, 2, 1, 0, 1, tzinfo=UTC)
    assert counts.select("instrument_id", "session", "bars", "known_from").rows() == [(number, MONDAY, 3, known)]
    (mine,) = [member for member in members if member["instrument_id"] == number]
    assert (mine["symbol"], mine["ends_on"]) == (stock.symbol, TUESDAY), "a recording ends with what was asked"
    assert closes.select("instrument_id", "session", "close").rows() == [
        (number, MONDAY, 50.0),
        (number, TUESDAY, 88.0),
    ], "days first, else the last regular minute"
    assert closes["low"].is_null().to_list() == [False, True], "a range needs a day bar"
    assert stamps.to_list() == [OPEN + timedelta(hours=5)]
