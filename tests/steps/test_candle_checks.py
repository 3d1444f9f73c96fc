"""Candles of hand arithmetic beside minutes that were ingested; what dbt builds is checked in tests/dbt.

Each minute is open 100, high 101, low 99, close 100.5, volume 1000 + its place, 10 trades.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from chandlery.errors import InvalidInput, NotMigrated
from chandlery.market.timeframes import Timeframe
from chandlery.quality.candles import CANDLE_FINDING_SCHEMA, COMPARED, SUM_TOLERANCE, compare_candles
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.candle_checks import CandleChecks, check_candles
from chandlery.steps.candle_judging import judge_candles, judge_last_candles
from chandlery.steps.universe import sync_universe
from chandlery.store.recorded_findings import Scope

FIRST, LAST = date(2024, 7, 1), date(2024, 7, 2)
AFTER = date(2024, 7, 3)
SYMBOLS = ("AAPL", "MSFT")
MINUTES = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 390}

_TABLES = """
create schema if not exists marts;
create table marts.candle_builds (model text, session date, instrument_id integer, build_id bigint, read_key text,
    is_final boolean, primary key (model, session, instrument_id));
"""
_CANDLES = """
create table marts.candles_{name} as
select i.instrument_id, s.session, case '{name}' when '1d' then s.day_ts else
    s.open + make_interval(mins => first) end as ts, 100.0::float8 as open, 101.0::float8 as high, 99.0::float8 as low,
    100.5::float8 as close, (n * 1000 + n * (2 * first + n - 1) / 2)::float8 as volume, (10 * n)::bigint as trade_count,
    n as bar_count
from ops.instruments as i cross join ops.sessions as s
cross join lateral (
    select first, least({minutes}, 390 - first) as n from generate_series(0, 389, {minutes}) as first) as buckets
where s.calendar = 'NYSE' and s.session between '2024-07-01' and '2024-07-02'
"""
_BUILDS = """
insert into marts.candle_builds
select 'candles_{name}', b.session, b.instrument_id, {build} + b.instrument_id, {key}, true
from ops.bar_sessions as b join ops.sessions as s on s.calendar = 'NYSE' and s.session = b.session
where b.timeframe = '1m'
"""
_FROM_MINUTES = (
    "concat_ws('/', b.ingest_id, 'stocks', extract(epoch from s.open)::bigint, extract(epoch from s.close)::bigint)"
)
_KEYS = {
    "5m": (100, _FROM_MINUTES),
    "30m": (200, _FROM_MINUTES),
    "15m": (300, "(100 + b.instrument_id)::text"),
    "1h": (400, "(200 + b.instrument_id)::text"),
    "4h": (500, "(200 + b.instrument_id)::text"),
    "1d": (600, "concat_ws('/', 200 + b.instrument_id, 'm1', 'd1')"),
}

Tell = Callable[..., None]
Ask = Callable[..., list[tuple[Any, ...]]]
Recorded = list[tuple[Scope, pl.DataFrame]]


@pytest.fixture(scope="module")
def built(warehouse: Any, source_of: Any, minutes_of: Any, tell: Tell) -> Any:
    frames = pl.concat([minutes_of(FIRST), minutes_of(LAST)])
    source = source_of({(symbol, Timeframe.M1): frames for symbol in SYMBOLS}, symbols=SYMBOLS)
    sync_universe(source, warehouse, symbols=SYMBOLS, source_name="tape")
    build_calendar(warehouse, start=FIRST, end=AFTER)
    ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=FIRST, end=AFTER)
    tell(
        warehouse,
        _TABLES,
        *(_CANDLES.format(name=name, minutes=minutes) for name, minutes in MINUTES.items()),
        *(_BUILDS.format(name=name, build=build, key=key) for name, (build, key) in _KEYS.items()),
        "grant usage on schema marts to public; grant select on all tables in schema marts to public",
    )
    return warehouse


@pytest.fixture
def changed(built: Any, tell: Tell) -> Iterator[Callable[[str, str], None]]:
    """Return a function that runs a statement and, after the test, the one that takes it back."""
    undo: list[str] = []

    def run(statement: str, back: str) -> None:
        tell(built, statement)
        undo.append(back)

    yield run
    tell(built, *undo)


def check(warehouse: Any, **window: Any) -> tuple[CandleChecks, Recorded]:
    recorded: Recorded = []
    receipt = check_candles(
        warehouse,
        record=lambda scope, found: recorded.append((scope, found)),
        **{"start": FIRST, "end": AFTER, **window},
    )
    return receipt, recorded


def test_candles_that_equal_their_minutes_are_counted_and_nothing_is_found(built: Any) -> None:
    receipt, recorded = check(built)
    # 78 + 26 + 13 + 7 + 2 + 1 candles a session; two sessions of two instruments in six timeframes.
    assert receipt == CandleChecks(candles=4 * 127, sessions=24, passed_over=0, findings=0)
    assert {scope.timeframe for scope, _ in recorded} == set(MINUTES)
    assert {(scope.start, scope.end, scope.instrument_id) for scope, _ in recorded} == {(FIRST, AFTER, None)}


def test_volume_off_by_one_share_is_a_finding(built: Any, changed: Any) -> None:
    where = "where session = '2024-07-02' and ts = '2024-07-02 14:30+00' and instrument_id = 1"
    changed(
        f"update marts.candles_1h set volume = volume + 1 {where}",
        f"update marts.candles_1h set volume = volume - 1 {where}",
    )
    receipt, recorded = check(built)
    found = pl.concat([frame for _, frame in recorded])
    assert receipt.findings == 1
    assert dict(found.schema) == CANDLE_FINDING_SCHEMA
    (row,) = found.iter_rows(named=True)
    assert (row["rule"], row["check"], row["severity"]) == ("candle_equals_its_finer_ones", 19, "critical")
    assert (row["verdict"], row["term"], row["timeframe"]) == ("confirmed", "consistency", "1h")
    assert (row["ts"], row["ts_end"]) == (
        datetime(2024, 7, 2, 14, 30, tzinfo=UTC),
        datetime(2024, 7, 2, 15, 30, tzinfo=UTC),
    )
    # Minutes 60 to 119: 60 x 1000 + 60 x 89.5.
    assert row["evidence"] == '{"volume": 65371.0, "volume_of_minutes": 65370.0}'


def test_candles_that_are_not_rebuilt_yet_are_passed_over(built: Any, changed: Any) -> None:
    where = "where model = 'candles_5m' and session = '2024-07-01' and instrument_id = 1"
    wrong = "where session = '2024-07-01' and instrument_id = 1"
    changed(
        f"update marts.candle_builds set read_key = 'x' || read_key {where}",
        f"update marts.candle_builds set read_key = substr(read_key, 2) {where}",
    )
    changed(
        f"update marts.candles_15m set high = high + 1 {wrong}", f"update marts.candles_15m set high = high - 1 {wrong}"
    )
    receipt, recorded = check(built)
    # 5m is late, and with it 15m, which is made of it.
    assert (receipt.passed_over, receipt.findings) == (2, 0)
    late = [(scope.start, scope.end, scope.instrument_id) for scope, _ in recorded if scope.timeframe == "15m"]
    assert sorted(late) == [(FIRST, AFTER, 2), (LAST, AFTER, 1)]


def test_build_that_was_never_made_is_passed_over(built: Any, changed: Any) -> None:
    where = "where model = 'candles_1d' and session = '2024-07-01'"
    changed(
        f"create table public.kept as select * from marts.candle_builds {where}",
        "insert into marts.candle_builds select * from public.kept; drop table public.kept",
    )
    changed(f"delete from marts.candle_builds {where}", "select 1")
    assert check(built)[0].passed_over == 2


def test_only_the_instruments_and_sessions_asked_for_are_compared(built: Any) -> None:
    receipt, recorded = check(built, start=LAST, instrument_ids=(2,))
    assert receipt.candles == 127
    assert {(scope.start, scope.end, scope.instrument_id) for scope, _ in recorded} == {(LAST, AFTER, 2)}
    assert check(built, start=AFTER, end=AFTER + timedelta(days=1)) == (CandleChecks(), [])


def test_wrong_candle_becomes_a_finding_and_is_repaired_once_it_equals_its_minutes(
    built: Any, changed: Any, ask: Ask
) -> None:
    assert judge_candles(built, FIRST, AFTER).findings == 0
    wrong, right = (f"update marts.candles_1h set high = high {sign} 1 where instrument_id = 1" for sign in "+-")
    changed(wrong, right)
    receipt = judge_last_candles(built, days=30)
    rows = 'select timeframe, severity, verdict, state from ops.findings where "check" = 19 order by ts'
    found = ask(built, rows)
    assert receipt.findings == len(found) > 0
    assert set(found) == {("1h", "critical", "confirmed", "open")}
    changed(right, wrong)
    assert judge_last_candles(built, days=30).findings == 0
    assert {row[3] for row in ask(built, rows)} == {"repaired"}


def test_without_candles_there_is_nothing_to_judge(fresh: Any) -> None:
    assert judge_last_candles(fresh, days=7).candles == 0


def test_reversed_window_is_refused(built: Any) -> None:
    with pytest.raises(InvalidInput, match="must come after the start"):
        check(built, start=AFTER, end=FIRST)


def test_warehouse_without_candles_says_what_to_run(fresh: Any) -> None:
    with pytest.raises(NotMigrated, match="first run of the pipeline"):
        check(fresh)


def candle(**values: object) -> pl.DataFrame:
    row = {
        "instrument_id": 1,
        "session": FIRST,
        "ts": datetime(2024, 7, 1, 13, 30, tzinfo=UTC),
        "open": 1.0,
        "high": 2.0,
        "low": 0.5,
        "close": 1.5,
        "volume": 10.0,
        "trade_count": 3,
        "bar_count": 5,
        **values,
    }
    types = {"instrument_id": pl.Int64, "trade_count": pl.Int64, "ts": pl.Datetime("us", "UTC")}
    return pl.DataFrame([row], schema_overrides=types)


@pytest.mark.parametrize("name", COMPARED)
def test_every_figure_is_compared(name: str) -> None:
    found = compare_candles(candle(**{name: 4}), candle(), Timeframe.M5)
    assert found.height == 1
    assert f'"{name}": 4' in found["evidence"][0]


@pytest.mark.parametrize(
    ("stored", "rolled", "findings"),
    [
        (0.1 + 0.2, 0.3, 0),
        (1.1 * (1 + 10 * SUM_TOLERANCE), 1.1, 1),
        (9_007_199_254_740_000.0, 9_007_199_254_740_001.0, 1),
    ],
)
def test_whole_shares_are_exact_and_fractions_to_a_rounding(stored: float, rolled: float, findings: int) -> None:
    assert compare_candles(candle(volume=stored), candle(volume=rolled), Timeframe.M5).height == findings


def test_unknown_trade_counts_are_equal_to_each_other_alone() -> None:
    assert compare_candles(candle(trade_count=None), candle(trade_count=None), Timeframe.M5).is_empty()
    assert compare_candles(candle(trade_count=None), candle(), Timeframe.M5).height == 1


def test_candle_without_minutes_and_minutes_without_candle_are_findings() -> None:
    (extra,) = compare_candles(candle(), candle().clear(), Timeframe.D1).iter_rows(named=True)
    assert extra["evidence"] == '{"close": 1.5, "missing": "minutes"}'
    assert (extra["ts_end"], extra["session"]) == (None, FIRST)
    (absent,) = compare_candles(candle().clear(), candle(), Timeframe.D1).iter_rows(named=True)
    assert absent["evidence"] == '{"close": 1.5, "minutes": 5, "missing": "candle"}'
    assert absent["session"] == FIRST
